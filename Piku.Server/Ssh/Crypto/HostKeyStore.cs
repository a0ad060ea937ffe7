using System.Text;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// The host keys in a folder, one file for each kind, named as sshd names them. Keys that are missing are made;
/// keys that are there are never replaced.
/// </summary>
internal static class HostKeyStore
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="FormatException">A file is not a key; the message names the file.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static IReadOnlyList<HostKey> Load(string folder)
    {
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        return [.. HostKeyType.All.Select(type => LoadOrGenerate(folder, type))];
    }

    private static HostKey LoadOrGenerate(string folder, HostKeyType type)
    {
        var path = Path.Combine(folder, $"ssh_host_{type.Name.Split('-')[1]}_key");
        if (!File.Exists(path))
            WriteNew(path, HostKeyFile.Generate(type));
        try
        {
            var key = HostKeyFile.Parse(File.ReadAllText(path));
            return key.Type == type.Name ? key : throw new FormatException($"it is a key of type {key.Type}");
        }
        catch (FormatException e)
        {
            throw new FormatException($"the host key {path} cannot be used: {e.Message}", e);
        }
    }

    // Whoever is first wins: a key that another process has made meanwhile is the one that clients will know.
    private static void WriteNew(string path, string text)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}";
        try
        {
            using (var file = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            }))
            {
                file.Write(Encoding.ASCII.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
        }
    }
}
