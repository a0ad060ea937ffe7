using System.Net.Sockets;
using Piku.Server.Hosting;

namespace Piku.Tests.Hosting;

public sealed class PortsTests
{
    [Theory]
    [InlineData(SocketError.AddressAlreadyInUse, 80, "port 80 is in use by another program: stop that program, or set PIKU_HTTP_PORT")]
    [InlineData(SocketError.AccessDenied, 80, "has no right to listen there: set PIKU_HTTP_PORT to a port from 1024 on, or give all users the right, with 'sysctl net.ipv4.ip_unprivileged_port_start=80' as root.")]
    [InlineData(SocketError.AccessDenied, 8080, "port 8080 cannot be listened on (Permission denied): set PIKU_HTTP_PORT")]
    public void The_sentence_has_the_true_cause_and_what_helps(SocketError error, int port, string part) =>
        Assert.Contains(part, Ports.Sentence(new SocketException((int)error), port, "PIKU_HTTP_PORT"), StringComparison.Ordinal);
}
