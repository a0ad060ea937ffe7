using System.Security.Cryptography;
using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Core.Deploy;

/// <summary>
/// Which dependencies are installed, by the content of the files that name them (D24): time stamps change with
/// every checkout, content does not. One line per step, <c>hash key</c>; a step that failed has no line, and one more
/// line names what is installed as a whole: two installations of the same manifests are not the same.
/// </summary>
internal sealed class DependencyHashes(PikuPaths paths, AppName app)
{
    /// <summary>No step has such a name.</summary>
    private const string IdKey = ".id";

    /// <summary>Before the names of steps whose work is in the app's folder, and so does not come and go with <c>envs/APP</c>.</summary>
    private const string InTree = "tree ";

    private readonly Dictionary<string, string> _known = Read(paths.DependencyHashes(app));

    /// <summary>Names what is installed in <c>envs/APP</c>; null when nothing was. Another one with every installation.</summary>
    public string? Id => _known.GetValueOrDefault(IdKey);

    /// <summary>The <see cref="Id"/> in a copy of such a file.</summary>
    public static string? IdIn(string file) => Read(file).GetValueOrDefault(IdKey);

    /// <summary>The hash of what a step depends on: the command itself and the content of its manifests.</summary>
    public static string Of(IEnumerable<string> command, IEnumerable<string> manifests)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var word in command)
            hash.AppendData(Encoding.UTF8.GetBytes(word + "\0"));
        foreach (var file in manifests)
        {
            if (AtomicFile.ReadBytesIfExists(file) is not { } content)
                continue;
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(file) + "\0"));
            hash.AppendData(SHA256.HashData(content));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public bool Has(string step, string hash) => _known.GetValueOrDefault(step) == hash;

    public void Forget(string step)
    {
        if (_known.Remove(step))
            Write();
    }

    public void ForgetAll()
    {
        _known.Clear();
        Write();
    }

    public void Remember(string step, string hash)
    {
        _known[step] = hash;
        if (!step.StartsWith(InTree, StringComparison.Ordinal))
            _known[IdKey] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        Write();
    }

    /// <summary>Under what a step is remembered.</summary>
    public static string KeyOf(BuildStep step) => step.IsInTree ? InTree + step.Name : step.Name;

    /// <summary>Other dependencies are installed in <c>envs/APP</c> now; what is in the app's folder stays as it is.</summary>
    /// <param name="file">What is known of them.</param>
    public void BecomeThoseOf(string file)
    {
        var inTree = _known.Where(pair => pair.Key.StartsWith(InTree, StringComparison.Ordinal)).ToList();
        _known.Clear();
        foreach (var (key, hash) in Read(file).Where(pair => !pair.Key.StartsWith(InTree, StringComparison.Ordinal)).Concat(inTree))
            _known[key] = hash;
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
