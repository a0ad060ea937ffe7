namespace Piku.Tests.Machine;

/// <summary>A folder that goes with the test. Its path is short: a Unix socket's has at most 107 bytes.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("piku-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
