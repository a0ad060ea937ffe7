using System.Text;
using Piku.Core.Apps;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary><c>setup</c> and <c>setup:ssh</c>.</summary>
internal static class SetupVerbs
{
    /// <summary>A public key file has one line; nobody sends a megabyte by mistake and is thanked for it.</summary>
    private const int MaxKeyBytes = 64 * 1024;

    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        Installer.Run(call.Piku.Paths);
        await call.SayAsync($"piku is set up in {call.Piku.Paths.Root}.", cancel);
        return 0;
    }

    public static async Task<int> SshAsync(CommandCall call, CancellationToken cancel)
    {
        var file = call.Arguments[0];
        var text = file == "-"
            ? await ReadKeyAsync(call.Streams.Input, cancel)
            : AtomicFile.ReadIfExists(file) ?? throw new UserError($"there is no file '{Printable.Text(file)}' on the server.");
        var keys = await new AuthorizedKeysFile(call.Piku.Paths).AddAsync(text, cancel);
        foreach (var added in keys.Added)
            await call.SayAsync($"Added the key '{Printable.Text(added.Name)}' ({added.Fingerprint}).", cancel);
        foreach (var known in keys.Known)
            await call.SayAsync($"The key is already authorized as '{Printable.Text(known.Name)}' ({known.Fingerprint}).", cancel);
        return 0;
    }

    /// <summary>Reads a public key file from standard input.</summary>
    /// <exception cref="UserError">It is too long to be one.</exception>
    public static async Task<string> ReadKeyAsync(Stream input, CancellationToken cancel)
    {
        var buffer = new byte[MaxKeyBytes];
        var length = await input.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);
        return length < buffer.Length
            ? Encoding.UTF8.GetString(buffer, 0, length)
            : throw new UserError("that is too long for a public key.");
    }
}
