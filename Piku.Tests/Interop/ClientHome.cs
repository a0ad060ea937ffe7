using Piku.Tests.EndToEnd;

namespace Piku.Tests.Interop;

/// <summary>A home for the clients of one server: a key of each type in each client's format, the server's keys, PuTTY's sessions.</summary>
internal sealed class ClientHome
{
    private static readonly string[] KeyTypes = ["ed25519", "ecdsa", "rsa"];

    private readonly string _folder;
    private readonly int _port;
    private readonly Dictionary<string, string> _fingerprints = [];

    private ClientHome(string folder, int port) => (_folder, _port) = (folder, port);

    /// <param name="folder">May have keys already.</param>
    /// <param name="port">Of the server, which runs.</param>
    public static async Task<ClientHome> PrepareAsync(string folder, int port)
    {
        var home = new ClientHome(folder, port);
        await Task.WhenAll([home.LearnHostKeysAsync(), .. KeyTypes.Select(home.MakeKeyAsync)]);
        home.CopySessions();
        return home;
    }

    public IEnumerable<string> PublicKeys => KeyTypes.Select(type => Path.Combine(_folder, $"id_{type}.pub"));

    /// <param name="hostKeyType">Of the server's key that the client will ask for.</param>
    public Login Login(string keyType, string hostKeyType) => new(_folder, _port, keyType, _fingerprints.GetValueOrDefault(hostKeyType, ""));

    /// <summary>Into <c>~/.ssh/known_hosts</c>, as everyone learns them.</summary>
    private async Task LearnHostKeysAsync()
    {
        var file = Login("", "").KnownHosts;
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var lines = await Programs.RunAsync("ssh-keyscan", ["-p", $"{_port}", "-t", "ed25519,ecdsa", "127.0.0.1"]);
        // Dropbear knows hosts by their names only.
        await File.WriteAllTextAsync(file, lines + lines.Replace($"[127.0.0.1]:{_port}", "127.0.0.1", StringComparison.Ordinal));
        // 256 SHA256:… [127.0.0.1]:2222 (ED25519)
        foreach (var words in (await Programs.RunAsync("ssh-keygen", ["-l", "-f", file])).Trim().Split('\n').Select(line => line.Split(' ')))
            _fingerprints[words[^1].Trim('(', ')')] = words[1];
    }

    private async Task MakeKeyAsync(string type)
    {
        var login = Login(type, "");
        if (!File.Exists(login.Key))
            await Programs.RunAsync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", type, "-f", login.Key]);
        File.Copy(login.Key, login.PemKey);
        await Programs.RunAsync("ssh-keygen", ["-q", "-p", "-m", "PEM", "-N", "", "-f", login.PemKey]);
        await Programs.RunAsync("puttygen", [login.Key, "-o", login.PuttyKey]);
        await Programs.RunAsync("dropbearconvert", ["openssh", "dropbear", login.Key, login.DropbearKey]);
    }

    private void CopySessions()
    {
        var sessions = Directory.CreateDirectory(Path.Combine(_folder, ".putty", "sessions")).FullName;
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Interop", "PuttySessions")))
            File.Copy(file, Path.Combine(sessions, Path.GetFileName(file)));
    }
}
