using System.Net;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Ssh;

/// <summary>A connection that has ended.</summary>
/// <param name="Id">Names it in the log.</param>
/// <param name="User">Who it was; null for one that never proved a key.</param>
/// <param name="ClientVersion">The client's version line; null when it sent none.</param>
/// <param name="Reason">Why it ended.</param>
internal sealed record SshConnectionRecord(
    string Id, IPEndPoint RemoteEndPoint, AuthenticatedUser? User, string? ClientVersion, string? Reason, TimeSpan Duration);
