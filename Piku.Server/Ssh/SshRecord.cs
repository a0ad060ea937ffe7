using System.Net;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Ssh;

/// <summary>Something that the server's host may want to keep a record of.</summary>
/// <param name="Address">Of the client.</param>
internal abstract record SshRecord(IPAddress Address);

/// <summary>A connection that was not let in.</summary>
/// <param name="Untold">As many more were refused for that reason since the record before; see <see cref="Admission.RefusalTally"/>.</param>
internal sealed record SshRefusal(IPAddress Address, string Reason, int Untold) : SshRecord(Address);

/// <summary>An address, or an IPv6 site, that is let in no more for a while; each of its tries meanwhile is told nowhere.</summary>
internal sealed record SshBlock(IPAddress Address, TimeSpan Duration) : SshRecord(Address);

/// <summary>A connection whose client has proven who it is.</summary>
/// <param name="Id">Names the connection in the log.</param>
internal sealed record SshLogin(string Id, IPAddress Address, AuthenticatedUser User, string ClientVersion) : SshRecord(Address);

/// <summary>A forwarded connection that has ended, or was refused.</summary>
/// <param name="Id">Of the connection that it came on.</param>
/// <param name="Target">As the client named it.</param>
/// <param name="Refusal">Why it was refused; null when it was not.</param>
/// <param name="Sent">Bytes to the client.</param>
/// <param name="Received">Bytes from the client.</param>
internal sealed record SshForward(
    string Id, IPAddress Address, AuthenticatedUser User, ForwardTarget Target, string? Refusal, long Sent, long Received, TimeSpan Duration)
    : SshRecord(Address);

/// <summary>A connection that has ended.</summary>
/// <param name="Id">Names it in the log.</param>
/// <param name="User">Who it was; null for one that never proved a key.</param>
/// <param name="ClientVersion">The client's version line; null when it sent none.</param>
/// <param name="Reason">Why it ended.</param>
internal sealed record SshConnectionRecord(
    string Id, IPAddress Address, AuthenticatedUser? User, string? ClientVersion, string? Reason, TimeSpan Duration) : SshRecord(Address);
