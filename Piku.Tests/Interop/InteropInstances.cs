using Piku.Server.Ssh;
using Piku.Server.Ssh.Crypto;
using Piku.Tests.EndToEnd;
using Piku.Tests.Ssh;
using Programs = Piku.Tests.EndToEnd.Programs;

namespace Piku.Tests.Interop;

/// <summary>
/// Two daemons for all clients, one with the default algorithms and one with the compatible ones. Each has the app
/// <c>shop</c>, asks silent clients for a sign of life, and knows a key of each type. And a server that sends back what it
/// gets, and wants new keys for every megabyte.
/// </summary>
public sealed class InteropInstances : IAsyncLifetime
{
    public const string App = "shop";

    /// <summary>Questions without an answer until a daemon gives a client up: many, where a client may have to wait for the processor.</summary>
    private static readonly int Misses = (int)Math.Ceiling(3 * Pace.Factor);

    private static readonly string KeepAlive = $"[ssh]\nkeepalive_interval = 1\nkeepalive_misses = {Misses}\n";

    /// <summary>After so long the daemons, which ask every second, have given up whoever does not answer.</summary>
    public static TimeSpan LongerThanPatience { get; } = TimeSpan.FromSeconds(Misses + 3);

    private PikuInstance? _default;
    private PikuInstance? _compatible;
    private ClientHome? _home;
    private ClientHome? _compatibleHome;
    private TestServer? _rekeying;
    private ClientHome? _rekeyingHome;

    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(
            PrepareAsync(KeepAlive, piku => _default = piku, home => _home = home),
            PrepareAsync($"{KeepAlive}algorithms = \"compatible\"\n", piku => _compatible = piku, home => _compatibleHome = home),
            PrepareRekeyingAsync());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in new[] { _default, _compatible })
        {
            if (instance is not null)
                await instance.DisposeAsync();
        }
        if (_rekeying is not null)
            await _rekeying.DisposeAsync();
    }

    /// <summary>The one that a client can talk to.</summary>
    internal PikuInstance InstanceFor(SshClient client) => client.NeedsCompatible ? _compatible! : _default!;

    /// <summary>How it comes in there.</summary>
    internal Login LoginFor(SshClient client) => (client.NeedsCompatible ? _compatibleHome! : _home!).Login(client.KeyType, "ED25519");

    /// <summary>How it comes in with what only the compatible algorithms have.</summary>
    internal Login OlderLogin(string keyType) => _compatibleHome!.Login(keyType, "ECDSA");

    internal Login RekeyingLogin(SshClient client) => _rekeyingHome!.Login(client.KeyType, "ED25519");

    private async Task PrepareRekeyingAsync()
    {
        using var keys = new TemporaryFolder();
        var hostKeys = TestServer.MakeHostKeys(keys.Path, HostKeyType.Ed25519, HostKeyType.Ecdsa);
        _rekeying = await TestServer.StartAsync(
            async (session, cancel) =>
            {
                await session.Input.CopyToAsync(session.Output, cancel);
                return 0;
            },
            options => options with
            {
                Algorithms = AlgorithmSuite.Compatible,
                HostKeys = hostKeys,
                Limits = new SshLimits { RekeyBytes = 1 << 20 },
            });
        _rekeyingHome = await ClientHome.PrepareAsync(Directory.CreateDirectory(Path.Combine(_rekeying.Folder, "home")).FullName, _rekeying.EndPoint.Port);
        foreach (var file in _rekeyingHome.PublicKeys)
            await File.AppendAllTextAsync(_rekeying.AuthorizedKeysFile, await File.ReadAllTextAsync(file));
    }

    private static async Task PrepareAsync(string settings, Action<PikuInstance> keep, Action<ClientHome> keepHome)
    {
        var instance = await PikuInstance.StartAsync(settings);
        keep(instance);
        var deployment = DeployAsync(instance);
        var home = await ClientHome.PrepareAsync(instance.Client.Folder, instance.SshPort);
        keepHome(home);
        foreach (var file in home.PublicKeys.Where(file => file != instance.Client.PublicKey))
            await AuthorizeAsync(instance, file);
        await deployment;
    }

    private static async Task DeployAsync(PikuInstance instance) =>
        await (await Repository.FromExampleAsync(instance.Client, "static", App)).PushAsync();

    private static async Task AuthorizeAsync(PikuInstance instance, string publicKey)
    {
        await using var input = File.OpenRead(publicKey);
        var run = await Programs.CaptureAsync(instance.Client.Ssh("keys:add", Path.GetFileNameWithoutExtension(publicKey)) with { Input = input });
        Assert.True(run.Status.Succeeded, run.Error);
    }
}

[CollectionDefinition(nameof(InteropInstances))]
public sealed class InteropInstancesCollection : ICollectionFixture<InteropInstances>;
