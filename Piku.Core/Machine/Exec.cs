using System.Runtime.InteropServices;

namespace Piku.Core.Machine;

/// <summary>execve(2): this process becomes another program, with the files that are open for it. Nothing of ours is left, and nothing is tidied.</summary>
public static class Exec
{
    /// <returns>Only if it fails: the error (errno(3)).</returns>
    public static int Replace(string file, IEnumerable<string> words, IEnumerable<string> environment)
    {
        _ = Libc.Execute(file, [.. words, null], [.. environment, null]);
        return Marshal.GetLastPInvokeError();
    }
}
