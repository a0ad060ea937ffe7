namespace Piku.Core.Workers;

/// <summary>Comparing absolute paths as text; links are not followed.</summary>
internal static class FolderPath
{
    /// <summary>True for the folder itself and all below it.</summary>
    public static bool IsIn(this string path, string folder) =>
        Path.GetRelativePath(folder, path) is var way && way != ".." && !way.StartsWith("../", StringComparison.Ordinal);
}
