using System.Text;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// The host keys in a folder, named as sshd names them: <c>ssh_host_ed25519_key</c>. Keys that are there are never
/// replaced. Beside the key of a kind that is in use there may be others, as <c>ssh_host_ed25519_next_key</c>:
/// clients learn them (<see cref="Connection.HostKeyRotation"/>) and know them when one takes the first one's place.
/// </summary>
internal static class HostKeyStore
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The keys of these kinds, in their order; the one in use is the first of its kind.</summary>
    /// <exception cref="FormatException">A file is not a key; the message names the file.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static IReadOnlyList<HostKey> Load(string folder, IReadOnlyList<HostKeyType> types)
    {
        var inUse = types.Select(type => Path.Combine(folder, type.FileName)).Where(File.Exists);
        var others = Directory.GetFiles(folder, "ssh_host_*_key").Order(StringComparer.Ordinal);
        var keys = inUse.Concat(others).Distinct().Select(Read).ToArray();
        return [.. types.SelectMany(type => keys.Where(key => key.Type == type.Name))];
    }

    /// <summary>The kinds of which there is no key to use.</summary>
    public static IEnumerable<HostKeyType> Missing(string folder, IEnumerable<HostKeyType> types) =>
        types.Where(type => !File.Exists(Path.Combine(folder, type.FileName)));

    /// <summary>Makes a key of each kind.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Make(string folder, IEnumerable<HostKeyType> types)
    {
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        foreach (var type in types)
            WriteNew(Path.Combine(folder, type.FileName), HostKeyFile.Generate(type));
    }

    private static HostKey Read(string path)
    {
        try
        {
            return HostKeyFile.Parse(File.ReadAllText(path));
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
