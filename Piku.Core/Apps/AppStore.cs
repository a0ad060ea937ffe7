using System.Collections.Immutable;
using System.Text;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>
/// What is known of apps, on disk: which there are, their settings, scaling and whether they are to run.
/// Reading and atomic writing only; who may write, and when, is the deploy's business.
/// </summary>
public sealed class AppStore(PikuPaths paths)
{
    /// <summary>Apps by name: everything that has a working tree or a repository.</summary>
    public ImmutableArray<AppName> All() =>
    [
        .. Names(paths.Apps).Concat(Names(paths.Repos)).Distinct().OrderBy(app => app.Value, StringComparer.Ordinal),
    ];

    public bool Exists(AppName app) => Directory.Exists(paths.App(app)) || Directory.Exists(paths.Repo(app));

    /// <summary>The app of that name.</summary>
    /// <exception cref="UserError">Not a name, or no such app.</exception>
    public AppName Existing(string text)
    {
        var app = AppName.Parse(text.TrimEnd('/'));
        return Exists(app) ? app : throw new UserError($"app '{app}' not found.");
    }

    /// <summary>What <c>config:set</c> has set, in the order it was set, references not expanded.</summary>
    /// <exception cref="UserError">The file has a line that is no setting.</exception>
    public EnvMap Config(AppName app) => ReadEnv(app, paths.EnvFile(app)) ?? EnvMap.Empty;

    /// <summary>True when somebody has set something for the app, which may never have run.</summary>
    public bool HasSettings(AppName app) => File.Exists(paths.EnvFile(app)) || File.Exists(paths.ScalingFile(app));

    public void WriteConfig(AppName app, EnvMap config) => WriteConfig(app, Encoding.UTF8.GetBytes(EnvFile.Write(config)));

    /// <summary>The same as a file that was kept has it.</summary>
    public void WriteConfig(AppName app, byte[] text) => Write(app, paths.EnvFile(app), text, AtomicFile.Secret);

    /// <summary>The environment of the version that runs; null when the app was never deployed.</summary>
    public EnvMap? LiveEnv(AppName app) => ReadEnv(app, paths.LiveEnvFile(app));

    /// <summary>The same; null also when the file cannot be read, for whom that is no concern: it is the app's to spoil.</summary>
    public EnvMap? ReadableLiveEnv(AppName app)
    {
        try
        {
            return LiveEnv(app);
        }
        catch (Exception unreadable) when (unreadable is UserError or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void WriteLiveEnv(AppName app, EnvMap environment) =>
        Write(app, paths.LiveEnvFile(app), Encoding.UTF8.GetBytes(EnvFile.Write(environment)), AtomicFile.Secret);

    public Scaling Scaling(AppName app) => Read(app, paths.ScalingFile(app)) is { } text ? Formats.Scaling.Parse(text) : Formats.Scaling.Default;

    public void WriteScaling(AppName app, Scaling scaling) => WriteScaling(app, Encoding.UTF8.GetBytes(scaling.Write()));

    /// <summary>The same as a file that was kept has it.</summary>
    public void WriteScaling(AppName app, byte[] text) => Write(app, paths.ScalingFile(app), text, AtomicFile.Readable);

    /// <summary>True after <c>stop</c>, until a push, <c>deploy</c> or <c>restart</c> (D25).</summary>
    public bool IsStopped(AppName app) => File.Exists(StoppedMark(app));

    public void SetStopped(AppName app, bool stopped)
    {
        if (!stopped)
        {
            AtomicFile.Delete(StoppedMark(app));
            return;
        }
        Directory.CreateDirectory(paths.AppState(app));
        AtomicFile.Write(StoppedMark(app), "", AtomicFile.Secret);
    }

    private EnvMap? ReadEnv(AppName app, string file) => Read(app, file) is { } text ? EnvMap.From(EnvFile.ParseAnyNames(text, file)) : null;

    /// <summary>The folder is the app's, and may hold links where files should be.</summary>
    private string? Read(AppName app, string file) =>
        AppUsers.Of(paths, app).Do(() => AtomicFile.ReadBytesIfExists(file)) is { } bytes ? AppText.Read(bytes, file) : null;

    private void Write(AppName app, string file, byte[] text, UnixFileMode mode)
    {
        var user = AppUsers.Of(paths, app);
        user.MakeFolder(paths.Env(app));
        user.Do(() => AtomicFile.Write(file, text, mode));
    }

    private string StoppedMark(AppName app) => Path.Combine(paths.AppState(app), "stopped");

    private static IEnumerable<AppName> Names(string folder) =>
        !Directory.Exists(folder) ? [] : new DirectoryInfo(folder).EnumerateDirectories()
            .Select(entry => AppName.TryParse(entry.Name, out var app) ? app : null).OfType<AppName>();
}
