using System.Net;
using System.Net.Sockets;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Hosting;

/// <summary>Whether the ports of the options can be listened on, and a sentence that says why not.</summary>
internal static class Ports
{
    /// <summary>ip(7): who is not root needs a right for lower ones.</summary>
    private const int FirstForAll = 1024;

    /// <exception cref="UserError">Two of piku's own parts are to have one port.</exception>
    public static void CheckDifferent(PikuOptions options)
    {
        (string Name, int Port)[] ports = [("ssh", options.SshPort), ("http", options.HttpPort), ("https", options.HttpsPort)];
        foreach (var (name, port) in ports)
        {
            if (ports.FirstOrDefault(other => other.Port == port && other.Name != name).Name is { } second)
                throw new UserError($"port {port} cannot be both the {name} port and the {second} port: set {VariableOf(second)}, or the option in piku.toml, to another one.");
        }
    }

    /// <summary>nginx would find out too, but takes seconds to give up and says it less well.</summary>
    /// <exception cref="UserError">Nobody can listen there now, or we must not.</exception>
    public static void CheckFree(int port, string variable, bool alsoIpv6)
    {
        foreach (var address in alsoIpv6 ? [IPAddress.Any, IPAddress.IPv6Any] : new[] { IPAddress.Any })
        {
            try
            {
                using var listener = new TcpListener(address, port);
                listener.Start();
            }
            catch (SocketException refused)
            {
                throw new UserError(Sentence(refused, port, variable), refused);
            }
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

    private static string VariableOf(string name) => name switch
    {
        "ssh" => "PIKU_SSH_PORT",
        "http" => "PIKU_HTTP_PORT",
        _ => "PIKU_HTTPS_PORT",
    };
}
