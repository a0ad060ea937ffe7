using System.Globalization;
using System.Text;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>The client's side of a push, without git's own: a first push of one branch, and what the server answers, undecorated.</summary>
internal static class ReceivePack
{
    /// <summary>Pushes the branch to an app that has no refs.</summary>
    /// <returns>The bytes of the progress band and the report (gitprotocol-pack(5), "Reference Update Request", "Report Status").</returns>
    public static async Task<(byte[] Progress, string Report)> PushAsync(Client client, Repository repository, string branch)
    {
        var head = await repository.HeadAsync();
        using var request = new MemoryStream();
        request.Write(Packet($"{new string('0', 40)} {head} refs/heads/{branch}\0report-status side-band-64k quiet"));
        request.Write("0000"u8);
        using (var wanted = new MemoryStream(Encoding.ASCII.GetBytes(head + "\n")))
        {
            await ChildProcess.RunAsync(client.Git(repository.Folder, "pack-objects", "--revs", "--stdout", "--quiet") with
            {
                Input = wanted,
                Output = (bytes, _) => request.WriteAsync(bytes, CancellationToken.None),
                Error = (_, _) => ValueTask.CompletedTask,
            }, TestContext.Current.CancellationToken);
        }
        request.Position = 0;
        using var answer = new MemoryStream();
        await ChildProcess.RunAsync(client.Ssh($"git-receive-pack '{repository.App}'") with
        {
            Input = request,
            Output = (bytes, _) => answer.WriteAsync(bytes, CancellationToken.None),
            Error = (_, _) => ValueTask.CompletedTask,
        }, TestContext.Current.CancellationToken);
        return Read(answer.ToArray());
    }

    /// <summary>First the refs, up to a flush packet; then packets of which the first byte is their band.</summary>
    private static (byte[] Progress, string Report) Read(ReadOnlySpan<byte> answer)
    {
        using var progress = new MemoryStream();
        var report = new StringBuilder();
        for (var isAnswer = false; answer.Length > 0;)
        {
            var length = int.Parse(answer[..4], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var content = answer[4..Math.Max(4, length)];
            if (length == 0)
                isAnswer = true;
            else if (isAnswer && content[0] == 2)
                progress.Write(content[1..]);
            else if (isAnswer)
                report.Append(Encoding.UTF8.GetString(content[1..]));
            answer = answer[Math.Max(4, length)..];
        }
        return (progress.ToArray(), report.ToString());
    }

    private static byte[] Packet(string text) => Encoding.UTF8.GetBytes($"{text.Length + 4:x4}{text}");
}
