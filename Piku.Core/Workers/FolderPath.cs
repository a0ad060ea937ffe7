namespace Piku.Core.Workers;

/// <summary>Comparing absolute paths as text; links are not followed.</summary>
internal static class FolderPath
{
    /// <summary>True for the folder itself and all below it.</summary>
    public static bool IsIn(this string path, string folder) =>
        Path.GetRelativePath(folder, path) is var way && way != ".." && !way.StartsWith("../", StringComparison.Ordinal);

    /// <summary>True for all below the folder, and not for itself.</summary>
    public static bool IsBelow(this string path, string folder) => path.IsIn(folder) && Path.GetRelativePath(folder, path) != ".";
}
