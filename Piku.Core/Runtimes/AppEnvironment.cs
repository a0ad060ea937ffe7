using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Core.Runtimes;

/// <summary>
/// The variables that an app's commands and workers see, from low to high: what piku knows, the app's ENV file,
/// <c>config:set</c>, and defaults for what a served app needs.
/// </summary>
/// <param name="Variables">In the order in which they were first set.</param>
/// <param name="Warnings">A sentence for every line that has no effect.</param>
public sealed record AppEnvironment(EnvMap Variables, ImmutableArray<string> Warnings)
{
    /// <summary>Workers that answer requests, so that the app has an address.</summary>
    private static readonly string[] Served = ["web", "wsgi", "jwsgi", "static", "rwsgi", "php"];

    /// <summary>What only piku sets (D27).</summary>
    private static readonly string[] Reserved = ["APP", "HOME", "USER", "PWD", "LOG_ROOT", "DATA_ROOT", "VIRTUAL_ENV"];

    /// <exception cref="UserError">A value is too long, or is none of its setting's.</exception>
    public static AppEnvironment Create(DeployFacts facts)
    {
        var nameless = facts.ConfigEnv.Where(setting => !EnvFile.IsName(setting.Key)).ToList();
        var settings = facts.RepositoryEnv.Concat(facts.ConfigEnv.Except(nameless)).ToLookup(setting => IsReserved(setting.Key));
        var variables = Expansion.Layer(Bootstrap(facts), settings[false]);
        SettingTable.RefuseWrongBooleans(variables);
        return new AppEnvironment(
            facts.HasWorker(Served) ? WithAddress(variables, facts) : variables,
            [
                .. nameless.Select(setting => $"no process gets the setting '{setting.Key}', because shells drop such a name; 'config:unset {facts.App} {ShellWords.Quote(setting.Key)}' removes it."),
                .. settings[true].Select(setting => $"{setting.Key} is set by piku itself; the value in ENV is not used."),
                .. SettingTable.Warnings(variables),
            ]);
    }

    /// <summary>The files in the app that the plans want to read, as far as the environment names them, and files that are read already.</summary>
    public IEnumerable<string> FilesToRead(IReadOnlyDictionary<string, string> read)
    {
        foreach (var file in PythonRuntimes.FilesToRead)
            yield return file;
        yield return NodeRuntimes.Manifest;
        foreach (var file in Requirements.Files(read))
            yield return file;
        if (NginxSettings.IncludeFile.TryIn(Variables, out var nginx))
            yield return nginx;
        if (UwsgiSettings.IncludeFile.TryIn(Variables, out var uwsgi))
            yield return uwsgi;
    }

    private static EnvMap Bootstrap(DeployFacts facts)
    {
        var modules = facts.EnvEntries.Contains("node_modules") ? $"{facts.EnvFolder}/node_modules" : null;
        IEnumerable<string> path = [$"{facts.EnvFolder}/bin", .. facts.Host.SearchPath];
        var variables = EnvMap.Empty
            .With("APP", facts.App.Value)
            .With("LOG_ROOT", facts.Paths.Logs)
            .With("DATA_ROOT", facts.Paths.AppData(facts.App))
            .With("HOME", facts.Host.AppHome)
            .With("USER", facts.Host.AppUser?.Name ?? facts.Host.User)
            .With("PATH", string.Join(':', modules is null ? path : path.Prepend($"{modules}/.bin")))
            .With("PWD", facts.AppFolder)
            .With("VIRTUAL_ENV", facts.EnvFolder);
        return modules is null ? variables : variables.With("NODE_PATH", modules);
    }

    private static EnvMap WithAddress(EnvMap variables, DeployFacts facts)
    {
        if (!AppSettings.Port.TryIn(variables, out _))
            variables = variables.With(AppSettings.Port.Key, $"{FirstPort(facts)}");
        var withIpv6 = !AppSettings.DisableIpv6.In(variables);
        Setting<string>[] addresses = [NginxSettings.Ipv4Address, NginxSettings.Ipv6Address, AppSettings.BindAddress];
        return addresses
            .Where(address => !address.IsSetIn(variables) && (withIpv6 || address != NginxSettings.Ipv6Address))
            .Aggregate(variables, (map, address) => map.With(address.Key, address.Default!));
    }

    private static int FirstPort(DeployFacts facts) =>
        facts.FreePorts is [var port, ..] ? port : throw new UserError("There is no free TCP port for the app; set PORT.");

    private static bool IsReserved(string key) =>
        Reserved.Contains(key) || key.StartsWith("PIKU_INTERNAL_", StringComparison.Ordinal);
}
