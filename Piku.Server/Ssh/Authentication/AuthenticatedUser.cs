namespace Piku.Server.Ssh.Authentication;

/// <summary>Who is at the other end.</summary>
/// <param name="Name">As sent; it says nothing about who it is.</param>
/// <param name="Key">The key whose possession was proven by a signature: the identity.</param>
internal sealed record AuthenticatedUser(string Name, AuthorizedKey Key);
