using System.Globalization;

namespace Piku.Tests.EndToEnd;

/// <summary>What a process takes of the machine, as the kernel counts it (proc(5)).</summary>
/// <param name="Resident">In kilobytes.</param>
/// <param name="OpenFiles">But for code, which a program that is not one file opens when it is needed first.</param>
/// <param name="MostResident">Ever, in kilobytes.</param>
internal sealed record ProcessFigures(int Resident, int MostResident, int Threads, int OpenFiles)
{
    public static ProcessFigures Of(int process)
    {
        var status = File.ReadLines($"/proc/{process}/status")
            .Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Replace("kB", "", StringComparison.Ordinal).Trim());
        return new(
            Number(status["VmRSS"]), Number(status["VmHWM"]), Number(status["Threads"]),
            Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Count(descriptor => !IsCode(descriptor)));
    }

    private static bool IsCode(string descriptor)
    {
        try
        {
            return Path.GetExtension(File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName) is ".dll" or ".pdb";
        }
        catch (IOException)
        {
            return true; // closed meanwhile
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
