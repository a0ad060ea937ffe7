using System.Net;
using System.Net.Sockets;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Hosting;

/// <summary>Whether the ports of the options can be listened on, and a sentence that says why not.</summary>
internal static class Ports
{
    /// <summary>The environment variables that set other ports.</summary>
    public const string SshVariable = "PIKU_SSH_PORT", HttpVariable = "PIKU_HTTP_PORT", HttpsVariable = "PIKU_HTTPS_PORT";

    /// <summary>ip(7): who is not root needs a right for lower ones.</summary>
    private const int FirstForAll = 1024;

    /// <exception cref="UserError">Two of piku's own parts are to have one port.</exception>
    public static void CheckDifferent(PikuOptions options)
    {
        (string Name, int Port, string Variable)[] ports =
            [("ssh", options.SshPort, SshVariable), ("http", options.HttpPort, HttpVariable), ("https", options.HttpsPort, HttpsVariable)];
        if (ports.GroupBy(each => each.Port).FirstOrDefault(same => same.Count() > 1)?.ToArray() is [var first, var second, ..])
            throw new UserError($"port {first.Port} cannot be both the {first.Name} port and the {second.Name} port: set {second.Variable}, or the option in piku.toml, to another one.");
    }

    /// <summary>nginx would find out too, but takes seconds to give up and says it less well.</summary>
    /// <exception cref="UserError">Nobody can listen there now, or we must not.</exception>
    public static void CheckFree(int port, string variable, bool alsoIpv6)
    {
        foreach (var address in alsoIpv6 ? [IPAddress.Any, IPAddress.IPv6Any] : new[] { IPAddress.Any })
        {
            if (FreePorts.Refusal(address, port) is { } refused)
                throw new UserError(Sentence(refused, port, variable), refused);
        }
    }

    /// <summary>Why a port cannot be listened on, and what helps.</summary>
    /// <param name="variable">The environment variable that sets another port.</param>
    public static string Sentence(SocketException refused, int port, string variable) => refused.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => $"port {port} is in use by another program: stop that program, or set {variable} to another port.",
        SocketError.AccessDenied when port < FirstForAll =>
            $"port {port} is below {FirstForAll}, and the user {UnixUser.Current.Name} has no right to listen there: set {variable} to a port from {FirstForAll} on, "
            + $"or give all users the right, with 'sysctl net.ipv4.ip_unprivileged_port_start={port}' as root.",
        _ => $"port {port} cannot be listened on ({refused.Message.TrimEnd('.')}): set {variable} to another port.",
    };
}
