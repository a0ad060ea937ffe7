using System.Collections.Immutable;
using System.Text.Json;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Plans;

/// <summary>One recorded case of upstream, with <c>$HOME</c> and <c>$USER</c> put in.</summary>
internal sealed record Recording(string Name, string App, ImmutableArray<string> FakeTools, ImmutableDictionary<string, string> Files, ImmutableArray<RecordedStep> Steps)
{
    public const string Home = "/home/piku";
    public const string User = "piku";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "TestData", "upstream-cases");

    public static IEnumerable<string> Names => Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    public static Recording Load(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")));
        var root = document.RootElement;
        var app = root.GetProperty("app").GetString()!;
        return new Recording(
            name, app, Texts(root, "fake_tools"), Map(root, "files", asWritten: true).ToImmutableDictionary(),
            [.. root.GetProperty("steps").EnumerateArray().Select(step => RecordedStep.Read(step, app))]);
    }

    /// <summary>What stands for the service user, put in, unless the text is a file of the app, in which it is meant.</summary>
    public static string PutIn(string text) =>
        text.Replace("$HOME", Home, StringComparison.Ordinal).Replace("$USER", User, StringComparison.Ordinal);

    public static ImmutableArray<string> Texts(JsonElement parent, string property) =>
        parent.TryGetProperty(property, out var array) ? [.. array.EnumerateArray().Select(item => PutIn(item.GetString()!))] : [];

    public static IEnumerable<KeyValuePair<string, string>> Map(JsonElement parent, string property, bool asWritten = false) =>
        parent.TryGetProperty(property, out var map)
            ? [.. map.EnumerateObject().Select(item => KeyValuePair.Create(item.Name, asWritten ? item.Value.GetString()! : PutIn(item.Value.GetString()!)))]
            : [];
}

/// <summary>A program that upstream ran.</summary>
internal sealed record RecordedRun(string Tool, ImmutableArray<string> Arguments, string Folder, EnvMap Environment);

/// <summary>A vassal that upstream wrote: its lines without those for the environment, and that.</summary>
internal sealed record RecordedVassal(ImmutableArray<string> Lines, EnvMap Environment);

internal sealed record RecordedStep(string Do, string Command, int Exit, ImmutableDictionary<string, string> Files, ImmutableArray<RecordedRun> Runs)
{
    public ImmutableDictionary<string, RecordedVassal> Vassals { get; init; } = [];

    /// <summary>The app's site as a tree, or null.</summary>
    public ImmutableArray<NginxDirective>? Site { get; init; }

    public EnvMap ConfigEnv { get; init; } = EnvMap.Empty;

    /// <summary>Null when upstream had none for the app.</summary>
    public EnvMap? LiveEnv { get; init; }

    public Scaling? Scaling { get; init; }

    public static RecordedStep Read(JsonElement step, string app)
    {
        var read = new RecordedStep(
            step.GetProperty("do").GetString()!,
            step.TryGetProperty("command", out var command) ? command.GetString()! : "",
            step.TryGetProperty("exit", out var exit) ? exit.GetInt32() : 0,
            Recording.Map(step, "files", asWritten: true).ToImmutableDictionary(),
            step.TryGetProperty("runs", out var runs) ? [.. runs.EnumerateArray().Select(ReadRun)] : []);
        if (!step.TryGetProperty("leaves", out var leaves))
            return read;
        return read with
        {
            Vassals = leaves.TryGetProperty("vassals", out var vassals)
                ? vassals.EnumerateObject().ToImmutableDictionary(one => one.Name, one => new RecordedVassal(
                    Recording.Texts(one.Value, "ini"), EnvMap.From(Recording.Map(one.Value, "env"))))
                : [],
            Site = leaves.TryGetProperty("nginx", out var sites) && sites.TryGetProperty(app + ".conf", out var site)
                ? [.. site.EnumerateArray().SelectMany(ReadDirective)] : null,
            ConfigEnv = leaves.TryGetProperty("ENV", out var env) ? EnvMap.From(Recording.Map(env, app)) : EnvMap.Empty,
            LiveEnv = leaves.TryGetProperty("LIVE_ENV", out var live) && live.TryGetProperty(app, out _) ? EnvMap.From(Recording.Map(live, app)) : null,
            Scaling = leaves.TryGetProperty("SCALING", out var scaling) && scaling.TryGetProperty(app, out _)
                ? Recording.Map(scaling, app).Aggregate(Scaling.Default, (counts, one) => counts.With(one.Key, Scaling.ParseCount(one.Value))) : null,
        };
    }

    private static RecordedRun ReadRun(JsonElement run) => new(
        run.GetProperty("tool").GetString()!, Recording.Texts(run, "argv"), Recording.PutIn(run.GetProperty("cwd").GetString()!),
        EnvMap.From(Recording.Map(run, "env")));

    /// <summary>A directive is a string, a block an object with one property.</summary>
    private static IEnumerable<NginxDirective> ReadDirective(JsonElement node) => node.ValueKind is JsonValueKind.String
        ? NginxDirective.Parse(Recording.PutIn(node.GetString()!) + ";")
        : node.EnumerateObject().Select(block =>
            NginxDirective.Parse(block.Name + " {}")[0] with { Block = [.. block.Value.EnumerateArray().SelectMany(ReadDirective)] });
}
