using System.Security.Cryptography;
using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// Which dependencies are installed, by the content of the files that name them (D24): time stamps change with
/// every checkout, content does not. One line per step, <c>hash key</c>; a step that failed has no line.
/// </summary>
internal sealed class DependencyHashes(PikuPaths paths, AppName app)
{
    private readonly Dictionary<string, string> _known = Read(paths.DependencyHashes(app));

    /// <summary>The hash of what a step depends on: the command itself and the content of its manifests.</summary>
    public static string Of(IEnumerable<string> command, IEnumerable<string> manifests)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var word in command)
            hash.AppendData(Encoding.UTF8.GetBytes(word + "\0"));
        foreach (var file in manifests.Where(File.Exists))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(file) + "\0"));
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public bool Has(string step, string hash) => _known.GetValueOrDefault(step) == hash;

    public void Forget(string step)
    {
        if (_known.Remove(step))
            Write();
    }

    public void Remember(string step, string hash)
    {
        _known[step] = hash;
        Write();
    }

    private void Write()
    {
        Directory.CreateDirectory(paths.AppState(app));
        var text = string.Concat(_known.Select(pair => $"{pair.Value} {pair.Key}\n"));
        AtomicFile.Write(paths.DependencyHashes(app), text, AtomicFile.Secret);
    }

    private static Dictionary<string, string> Read(string file) =>
        (AtomicFile.ReadIfExists(file) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 2)).Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[1], parts => parts[0], StringComparer.Ordinal);
}
