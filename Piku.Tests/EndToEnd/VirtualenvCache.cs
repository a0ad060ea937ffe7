using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// What virtualenv keeps in a home for the environments to come. To fill it takes longer than to make an environment, and
/// the home of every daemon here is new, so they have one together.
/// </summary>
internal static class VirtualenvCache
{
    private const string Place = ".local/share/virtualenv";

    private static readonly Lazy<Task<string>> Filled = new(FillAsync);

    public static async Task GiveToAsync(string home)
    {
        if (Tools.Find("virtualenv", Programs.SearchPath) is null)
            return;
        var place = Path.Combine(home, Place);
        string[] above = [Path.Combine(home, ".local"), Path.Combine(home, ".local", "share")];
        Directory.CreateDirectory(above[^1]);
        File.CreateSymbolicLink(place, Path.Combine(await Filled.Value, Place));
        await PikuInstance.GiveToDaemonAsync([.. above, place]);
    }

    /// <summary>By one that nobody kills, since an environment that is half kept spoils all that follow.</summary>
    private static async Task<string> FillAsync()
    {
        var folder = Directory.CreateTempSubdirectory("piku-e2e-virtualenv-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        await PikuInstance.GiveToDaemonAsync(folder);
        var environment = Path.Combine(folder, "environment");
        string[] call = ["virtualenv", "--quiet", "--python=python3", environment];
        await (UnixUser.Current.IsRoot ? Programs.RunAsync("setpriv", ["--reuid=piku", "--regid=piku", "--init-groups", .. call], folder) : Programs.RunAsync(call[0], call[1..], folder));
        Directory.Delete(environment, recursive: true);
        return folder;
    }
}
