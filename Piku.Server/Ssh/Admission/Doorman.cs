using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Piku.Server.Ssh.Admission;

/// <summary>Lets connections in or shows them the door, and remembers who gave trouble.</summary>
internal sealed class Doorman(SshServerOptions options, ILogger logger)
{
    private readonly StartupGate _gate = new(options.Limits);
    private readonly Penalties _penalties = new(options.Limits.Penalties, options.Clock);
    private readonly RefusalTally _refusals = new(options.Clock);

    /// <summary>A place for the connection, or null when it has been closed.</summary>
    public Place? Admit(Socket socket, IPEndPoint remote)
    {
        var refusal = RefusalKind.Blocked;
        if (!_penalties.IsBlocked(remote.Address) && _gate.TryEnter(remote.Address, out refusal) is { } place)
            return place;
        Refuse(socket, remote, refusal);
        return null;
    }

    /// <summary>Closes a connection that is not let in.</summary>
    public void Refuse(Socket socket, IPEndPoint remote, RefusalKind refusal)
    {
        // A block was told when it began.
        if (refusal != RefusalKind.Blocked && _refusals.Count(refusal) is { } untold)
        {
            logger.ConnectionRefused(remote, refusal.Sentence(), untold);
            options.Record(new SshRefusal(remote.Address, refusal.Sentence(), untold));
        }
        Tell(socket, refusal.Sentence());
    }

    /// <summary>The connection from there has ended.</summary>
    public void Judge(IPAddress address, Fault fault)
    {
        if (_penalties.Add(address, fault) is not { } duration)
            return;
        logger.AddressBlocked(address, duration);
        options.Record(new SshBlock(address, duration));
    }

    // A line before the version (RFC 4253, section 4.2); nothing was sent yet, so that there is room for it.
    private static void Tell(Socket socket, string sentence)
    {
        try
        {
            socket.Blocking = false;
            socket.Send(Encoding.ASCII.GetBytes($"{sentence}\r\n"));
        }
        catch (SocketException)
        {
            // It has gone already.
        }
        socket.Dispose();
    }
}
