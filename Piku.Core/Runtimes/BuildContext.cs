using Piku.Core.Model;

namespace Piku.Core.Runtimes;

/// <summary>The facts and the environment, and short words for what every runtime's steps need.</summary>
public sealed record BuildContext(DeployFacts Facts, EnvMap Variables)
{
    public string App => Facts.AppFolder;

    public string Env => Facts.EnvFolder;

    public bool Has(string entry) => Facts.Has(entry);

    /// <summary>True when an earlier build has left this in <c>envs/APP</c>.</summary>
    public bool Made(string entry) => Facts.EnvEntries.Contains(entry);

    /// <summary>The context in which the steps see some more variables, unless the app has set them.</summary>
    public BuildContext With(string key, string value) => this with { Variables = Variables.WithDefault(key, value) };

    /// <summary>Runs a program in the app's folder.</summary>
    public BuildAction Run(params ReadOnlySpan<string> argv) => RunIn(App, argv);

    public BuildAction RunIn(string folder, params ReadOnlySpan<string> argv) =>
        new BuildAction.Run([.. argv], folder, Variables.With("PWD", folder));

    /// <summary>A step that runs one program in the app's folder at every deploy.</summary>
    public BuildStep Step(string name, string title, params ReadOnlySpan<string> argv) => new(name, title, [Run(argv)]);
}
