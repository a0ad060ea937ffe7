using Piku.Core.Model;

namespace Piku.Server.Sftp;

/// <summary>What a client's scp asks of the scp at the server: <c>scp -f|-t [-r] [-p] [-d] [-v] [--] PATH...</c></summary>
/// <param name="IsSource">Whether files go to the client (<c>-f</c>), or come from it (<c>-t</c>).</param>
/// <param name="Recursive">Folders too (<c>-r</c>).</param>
/// <param name="KeepsTimes">Times too (<c>-p</c>).</param>
/// <param name="NeedsFolder">The path must be a folder (<c>-d</c>).</param>
internal sealed record ScpArguments(bool IsSource, bool Recursive, bool KeepsTimes, bool NeedsFolder, IReadOnlyList<string> Paths)
{
    /// <exception cref="UserError">It is no such call.</exception>
    public static ScpArguments Parse(IReadOnlyList<string> words)
    {
        var options = words.TakeWhile(word => word.StartsWith('-') && word != "--").SelectMany(word => word[1..]).ToHashSet();
        var paths = words.SkipWhile(word => word.StartsWith('-') && word != "--").SkipWhile(word => word == "--").ToList();
        if (options.Contains('f') == options.Contains('t') || paths.Count == 0 || (options.Contains('t') && paths.Count != 1) || options.Any(option => !"ftrpdvq".Contains(option, StringComparison.Ordinal)))
            throw new UserError("'scp' is for the scp program: use 'scp FILE piku@HOST:/data/APP/', or sftp.");
        return new(options.Contains('f'), options.Contains('r'), options.Contains('p'), options.Contains('d'), paths);
    }
}
