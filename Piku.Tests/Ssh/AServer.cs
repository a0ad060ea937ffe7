using System.Net;
using System.Net.Sockets;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>The server as its host sees it.</summary>
[NeedsMachine]
public sealed class AServer
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Says_which_end_point_is_in_use_and_listens_nowhere()
    {
        await using var first = await StartAsync();
        var free = new IPEndPoint(IPAddress.Loopback, 0);
        var second = new SshServer(first.Options with { EndPoints = [free, first.EndPoint] }, Nothing, first.Log.For<SshServer>());

        var error = await Assert.ThrowsAsync<SshListenException>(() => second.StartAsync(Cancel));

        Assert.Equal((first.EndPoint, SocketError.AddressAlreadyInUse), (error.EndPoint, error.Error));
        Assert.Empty(second.BoundEndPoints);
    }

    [Fact]
    public async Task Listens_on_every_end_point_IPv4_and_IPv6_on_one_port()
    {
        await using var server = await StartAsync();
        var other = new SshServer(
            server.Options with { EndPoints = [new(IPAddress.Any, 0)] }, Nothing, server.Log.For<SshServer>());
        await other.StartAsync(Cancel);
        await using var same = new SshServer(
            server.Options with { EndPoints = [new(IPAddress.IPv6Any, other.BoundEndPoints[0].Port)] }, Nothing, server.Log.For<SshServer>());
        await same.StartAsync(Cancel);

        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            await using var client = await RawClient.ConnectAsync(new(address, other.BoundEndPoints[0].Port));
            Assert.Equal(server.Options.Version, await client.ReceiveVersionAsync());
        }
        await other.DisposeAsync();
    }

    [Fact]
    public async Task That_stops_tells_its_clients_and_frees_its_port()
    {
        await using var server = await StartAsync();
        var endPoint = server.EndPoint;
        await using var starting = await RawClient.ConnectAsync(endPoint);
        await starting.ReceiveVersionAsync();
        await starting.ReceiveAsync(MessageNumber.KexInit);

        var stopping = server.Server.StopAsync(Cancel);

        Assert.Equal(DisconnectReason.ByApplication, await starting.ReceiveDisconnectAsync());
        await starting.DisposeAsync();
        await stopping;
        await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(endPoint));
        await using var next = new SshServer(server.Options with { EndPoints = [endPoint] }, Nothing, server.Log.For<SshServer>());
        await next.StartAsync(Cancel);
    }

    [Fact]
    public async Task Stops_within_bounds_even_if_a_session_does_not()
    {
        var release = new TaskCompletionSource();
        await using var server = await TestServer.StartAsync(
            async (_, _) =>
            {
                await release.Task;
                return 0;
            },
            options => options with { Limits = new SshLimits { StopGrace = TimeSpan.FromMilliseconds(100), SessionEnd = TimeSpan.FromMilliseconds(100), Farewell = TimeSpan.FromMilliseconds(100) } });
        var ssh = server.SshAsync("stubborn");
        await Wait.UntilAsync(() => server.Log.Lines.Any(line => line.Contains("started", StringComparison.Ordinal)));

        await server.Server.StopAsync(Cancel).WaitAsync(Pace.Scale(TimeSpan.FromSeconds(10)), Cancel);

        Assert.Equal(255, (await ssh).ExitCode);
        Assert.Contains(server.Log.Lines, line => line.Contains("sessions go on", StringComparison.Ordinal));
        release.SetResult();
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(Nothing);

    private static Task<int> Nothing(SshSession session, CancellationToken cancellationToken) => Task.FromResult(0);
}
