using System.Net;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Transport;

namespace Piku.Server.Ssh.Connection;

/// <summary>What everything on an authenticated connection may know.</summary>
/// <param name="Id">Names the connection in the log.</param>
/// <param name="User">Whose it is.</param>
/// <param name="End">Ends the connection.</param>
/// <param name="Handler">Serves sessions; returns their exit status.</param>
internal sealed record ConnectionContext(
    string Id,
    AuthenticatedUser User,
    ConnectionEnd End,
    IPEndPoint RemoteEndPoint,
    IPEndPoint LocalEndPoint,
    SshServerOptions Options,
    Func<SshSession, CancellationToken, Task<int>> Handler,
    ILogger Logger);
