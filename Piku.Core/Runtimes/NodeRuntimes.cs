using Piku.Core.Settings;

namespace Piku.Core.Runtimes;

/// <summary>
/// Node and Bun. Packages are installed in <c>envs/APP/node_modules</c>, which the app's folder links to, so the
/// manifest and the lock file are copied there.
/// </summary>
internal static class NodeRuntimes
{
    public const string Manifest = "package.json";

    /// <summary>What installs packages when nothing says what should.</summary>
    private const string Npm = "npm --package-lock=false";

    /// <summary>What a package manager reads of an app.</summary>
    private static readonly string[] Manifests =
    [
        Manifest, "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "pnpm-workspace.yaml", "bun.lock", "bun.lockb",
        ".npmrc", ".yarnrc", ".yarnrc.yml",
    ];

    public static readonly Runtime Bun = new("Bun", facts => facts.Has("package.json") && (facts.Has("bun.lock") || facts.Has("bun.lockb")))
    {
        Tools = [new Tool("bun", "see https://bun.sh")],
        Steps = context => [Install(Prepare(context), "bun", context.Run("bun", "install", "--frozen-lockfile", "--cwd", context.Env))],
        Makes = ["node_modules"],
    };

    public static readonly Runtime Node = new("Node", facts => facts.Has("package.json"))
    {
        Tools = [Tool.Apt("node", "nodejs") with { Instead = ["nodejs", "nodeenv"] }, Tool.Apt("npm") with { Instead = ["nodeenv"] }],
        Steps = context => NodeSteps(Prepare(context)),
        Makes = ["node_modules"],
        Warnings = context => RuntimeSettings.NodeVersion.IsSetIn(context.Variables) && !HasNodeenv(context)
            ? ["NODE_VERSION needs nodeenv, which is not installed (apt install nodeenv); the system's Node is used."] : [],
    };

    private static BuildContext Prepare(BuildContext context) =>
        context.With("NODE_PATH", $"{context.Env}/node_modules").With("NPM_CONFIG_PREFIX", context.Env);

    private static IEnumerable<BuildStep> NodeSteps(BuildContext context)
    {
        if (RuntimeSettings.NodeVersion.TryIn(context.Variables, out var version) && HasNodeenv(context))
        {
            yield return new BuildStep("nodeenv", $"Installing Node {version}",
                [
                    new BuildAction.MakeFolder(context.Env),
                    context.RunIn(context.Env, "nodeenv", "--prebuilt", $"--node={version}", "--clean-src", "--force", context.Env),
                ])
            { InputValues = [version], IsMissing = !context.Made("bin/node") };
        }
        yield return IsForNothing(context) ? Install(context, Manager(context)) with { Title = $"{Manifest} names no packages" }
            : Install(context, Manager(context), [.. InstallActions(context)]);
    }

    private static BuildStep Install(BuildContext context, string manager, params BuildAction[] actions) =>
        new("packages", $"Running {manager}",
            [
                new BuildAction.MakeFolder($"{context.Env}/node_modules"),
                .. Manifests.Select(name => new BuildAction.CopyFile($"{context.App}/{name}", $"{context.Env}/{name}")),
                .. LocalPackages.Folders(context.Facts).Select(name => new BuildAction.Link($"{context.Env}/{name}", $"{context.App}/{name}")),
                new BuildAction.Link($"{context.App}/node_modules", $"{context.Env}/node_modules"),
                .. actions,
            ])
        {
            Inputs = [.. Manifests],
            InputValues = [manager, context.Variables.Find(RuntimeSettings.NodeVersion.Key) ?? ""],
            IsMissing = !context.Made("node_modules"),
        };

    /// <summary>What NODE_PACKAGE_MANAGER says, or else the lock file that is there.</summary>
    private static string Manager(BuildContext context) =>
        RuntimeSettings.NodePackageManager.TryIn(context.Variables, out var command) ? command
        : context.Has("package-lock.json") || context.Has("npm-shrinkwrap.json") ? "npm ci"
        : context.Has("pnpm-lock.yaml") ? "pnpm install --frozen-lockfile"
        : context.Has("yarn.lock") ? "yarn install --frozen-lockfile"
        : Npm;

    /// <summary>npm would be started to find nothing to do. Who asks for another manager, or by a lock file, gets it.</summary>
    private static bool IsForNothing(BuildContext context) => Manager(context) == Npm && LocalPackages.AreNone(context.Facts);

    private static IEnumerable<BuildAction> InstallActions(BuildContext context)
    {
        var words = Manager(context).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var isChosen = RuntimeSettings.NodePackageManager.IsSetIn(context.Variables);
        if (words[0] != "npm" && (isChosen || !context.Facts.Host.Tools.Contains(words[0])))
            yield return context.Run("npm", "install", "-g", words[0]);
        yield return words switch
        {
            ["npm", "ci"] => context.Run("npm", "ci", "--prefix", context.Env),
            ["yarn", "install", var frozen] when !isChosen => context.Run("yarn", "--cwd", context.Env, "install", frozen),
            ["pnpm", "install", var frozen] when !isChosen => context.Run("pnpm", "install", frozen, "--prefix", context.Env),
            _ => context.Run([.. words, "install", "--prefix", context.Env]),
        };
    }

    private static bool HasNodeenv(BuildContext context) => context.Facts.Host.Tools.Contains("nodeenv");
}
