using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Apps;
using Piku.Core.Deploy;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;
using Piku.Server.Commands;
using Piku.Server.Hosting.Supervision;
using Piku.Server.Hosting.Systemd;

namespace Piku.Server.Hosting;

/// <summary><c>piku serve</c>: composes everything, says when it is ready, and ends when it is told to.</summary>
internal static class Daemon
{
    /// <summary>For children to end: the emperor alone may take 15 s.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(40);

    /// <summary>For versions before to end, whose pushers wait no more.</summary>
    private static readonly TimeSpan AftermathLimit = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        try
        {
            var serve = ServeArguments.Parse(arguments);
            Composition.RefuseRoot();
            var (paths, options) = Composition.Read();
            // What is wrong on the command line is said before what is wrong here.
            var keys = serve.Authorize.Select(file => (File: file, Text: ReadKey(file))).ToArray();
            if (options.Supervise)
                Ports.CheckDifferent(options);
            // Whose room it is, if another runs.
            if (File.Exists(LockOf(paths)))
                OnlyOne(paths).Dispose();
            Reserve.Free(paths.StartRoom);
            paths = await AppUserNamespace.EnterAsDaemonAsync(paths, options, ["serve", .. arguments]);
            WorkerThreads.Start();
            ControllingTerminal.GiveUp();
            await using var manager = ServiceManager.Take();
            var listeners = PassedSockets.Take();
            Installer.Run(paths);
            foreach (var (file, text) in keys)
                await AuthorizeAsync(paths, file, text);
            using var only = OnlyOne(paths);
            Installer.RemoveLeftovers(paths);
            var piku = Composition.Installation(paths, options);
            foreach (var problem in await Ownership.ArrangeAsync(paths, piku.Apps, piku.Users, CancellationToken.None))
                await Console.Out.WriteLineAsync(problem);
            await ServeAsync(piku, options.On(listeners), manager);
            return 0;
        }
        catch (UserError wrong)
        {
            await Console.Error.WriteLineAsync($"Error: {wrong.Message}");
            return 1;
        }
        catch (IOException failure) when (Shortage.Of(failure) is { } shortage)
        {
            await Console.Error.WriteLineAsync($"Error: {shortage}");
            return 1;
        }
    }

    private static async Task ServeAsync(Installation piku, PikuOptions options, ServiceManager manager)
    {
        using var host = Build(piku, options);
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        try
        {
            piku.Deploys.RemoveLeftovers();
            // Before the emperor runs what an interrupted deploy has left.
            foreach (var problem in await Recovery.ResumeAsync(piku, lifetime.ApplicationStopping))
                await Console.Out.WriteLineAsync(problem);
            Takeover.RemoveStaleSites(piku);
            var relocated = Relocation.Prepare(piku, options.HttpPort, options.HttpsPort);
            if (options.Supervise)
                piku.Groups.Claim();
            else if (File.Exists(new NginxFiles(piku.Paths).Config))
                await NginxService.WriteConfigAsync(new(piku.Paths), NginxOptionsOf(options), piku.Host.Environment, lifetime.ApplicationStopping);
            await host.StartAsync();
            if (options.Supervise)
            {
                await host.Services.GetRequiredService<EmperorService>().Ready.WaitAsync(lifetime.ApplicationStopping);
                await host.Services.GetRequiredService<NginxService>().Ready.WaitAsync(lifetime.ApplicationStopping);
            }
            await foreach (var outcome in Takeover.RunAsync(piku, lifetime.ApplicationStopping))
                await Console.Out.WriteLineAsync(outcome);
            await foreach (var outcome in Relocation.RunAsync(piku, relocated, lifetime.ApplicationStopping))
                await Console.Out.WriteLineAsync(outcome);
            await host.Services.GetRequiredService<SshEndpoint>().StartAsync(lifetime.ApplicationStopping);
            await Console.Out.WriteLineAsync(Welcome.Text(piku.Paths, options, host.Services.GetRequiredService<SshEndpoint>().HostKeys));
            manager.Ready($"serves ssh and git on port {options.SshPort}");
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Told to end before everything was up.
        }
        catch
        {
            await StopAsync(piku, host, manager);
            throw;
        }
        await WaitForEndAsync(lifetime.ApplicationStopping);
        await StopAsync(piku, host, manager);
    }

    private static IHost Build(Installation piku, PikuOptions options)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ssZ ";
            console.UseUtcTimestamp = true;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopLimit);
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        builder.Services.AddSingleton(services => new SshEndpoint(piku, options, services.GetRequiredService<ILoggerFactory>()));
        if (options.Supervise)
        {
            builder.Services.AddSingleton(services => new EmperorService(
                piku.Paths, piku.Host.Environment, piku.Clock, services.GetRequiredService<ILogger<EmperorService>>()));
            builder.Services.AddSingleton(services => new NginxService(
                piku.Paths, NginxOptionsOf(options), piku.Host.Environment, piku.Clock, services.GetRequiredService<ILogger<NginxService>>()));
            builder.Services.AddHostedService(services => services.GetRequiredService<EmperorService>());
            builder.Services.AddHostedService(services => services.GetRequiredService<NginxService>());
        }
        builder.Services.AddHostedService(services => new CertificateService(
            piku, services.GetService<NginxService>()?.Ready ?? Task.CompletedTask, services.GetRequiredService<ILogger<CertificateService>>()));
        builder.Services.AddHostedService(services => new UpkeepService(piku, services.GetRequiredService<ILogger<UpkeepService>>()));
        return builder.Build();
    }

    private static NginxOptions NginxOptionsOf(PikuOptions options) => new(options.HttpPort, options.HttpsPort) { TrustedProxies = options.TrustedProxies };

    /// <summary>
    /// People first: deploys come to an end, or are undone, while emperor and nginx still work. Another signal ends the
    /// waiting for them.
    /// </summary>
    private static async Task StopAsync(Installation piku, IHost host, ServiceManager manager)
    {
        manager.Stopping("waits for running commands to end");
        using var hurry = new CancellationTokenSource();
        using (PosixSignalRegistration.Create(PosixSignal.SIGINT, Hurry))
        using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, Hurry))
        {
            await host.Services.GetRequiredService<SshEndpoint>().StopAsync(hurry.Token);
            await EndAsync(piku.Aftermath, hurry.Token);
        }
        using var limit = new CancellationTokenSource(StopLimit);
        await host.StopAsync(limit.Token);

        void Hurry(PosixSignalContext signal)
        {
            signal.Cancel = true;
            hurry.Cancel();
        }
    }

    /// <summary>What is not done in time is done by recovery at the next start.</summary>
    private static async Task EndAsync(Aftermath aftermath, CancellationToken hurry)
    {
        try
        {
            await aftermath.WhenDone().WaitAsync(AftermathLimit, hurry);
        }
        catch (Exception failure) when (failure is TimeoutException or OperationCanceledException or UserError or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"The end of a deploy is left to the next start: {failure.Message}");
        }
    }

    private static async Task WaitForEndAsync(CancellationToken ending)
    {
        var ended = new TaskCompletionSource();
        await using var _ = ending.Register(ended.SetResult);
        await ended.Task;
    }

    /// <summary>Two daemons on one root would undo each other's work.</summary>
    internal static FileLock OnlyOne(PikuPaths paths) =>
        FileLock.TryAcquire(LockOf(paths), "piku serve", TimeProvider.System)
        ?? throw new UserError($"piku already runs on {paths.Root}; set PIKU_ROOT for another instance.");

    /// <summary>The daemon of this installation; null when none runs.</summary>
    internal static int? ProcessIdOn(PikuPaths paths) => FileLock.Holder(LockOf(paths))?.ProcessId;

    private static string LockOf(PikuPaths paths) => Path.Combine(paths.Run, "daemon.lock");

    private static string ReadKey(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"the key {file} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static async Task AuthorizeAsync(PikuPaths paths, string file, string text)
    {
        try
        {
            var keys = await new AuthorizedKeysFile(paths).AddAtStartAsync(text, CancellationToken.None);
            foreach (var key in keys.Added)
                await Console.Out.WriteLineAsync($"Authorized the key '{key.Name}' ({key.Fingerprint}).");
            foreach (var key in keys.Removed)
                await Console.Out.WriteLineAsync($"Left out the key '{key.Name}' of {file} ({key.Fingerprint}): it was removed with 'keys:remove'. 'piku setup:ssh {file}' authorizes it again.");
        }
        catch (UserError wrong)
        {
            throw new UserError($"{file}: {wrong.Message}", wrong);
        }
    }
}
