using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class LogsTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private Client Client => shared.Piku.Client;

    [Fact]
    public async Task Logs_show_what_was_written_and_follow_until_the_reader_goes()
    {
        var repository = await Repository.WithFilesAsync(
            Client, "chatty",
            ("Procfile", "worker: echo first; while [ ! -e \"$DATA_ROOT/more\" ]; do sleep 0.05; done; echo second; exec sleep 1000\n"),
            ("package.json", "{}"));
        await repository.PushAsync();
        var seen = "";
        var call = Client.Ssh("logs", "chatty", "worker") with
        {
            Output = (bytes, _) =>
            {
                seen += System.Text.Encoding.UTF8.GetString(bytes.Span);
                return ValueTask.CompletedTask;
            },
        };
        await using (await ChildProcess.StartAsync(call))
        {
            await Eventually.TrueAsync(() => seen.Contains("worker.1 | first", StringComparison.Ordinal), explain: () => seen);
            await Client.CommandAsync("run", "chatty", "touch $DATA_ROOT/more");
            await Eventually.TrueAsync(() => seen.Contains("worker.1 | second", StringComparison.Ordinal), explain: () => seen);
        }
        await Eventually.TrueAsync(
            () => !OpenFiles(shared.Piku.ProcessId).Any(file => file.EndsWith("/chatty/worker.1.log", StringComparison.Ordinal)));
        await Client.CommandAsync("destroy", "chatty");
    }

    private static IEnumerable<string> OpenFiles(int process) => Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
        .Select(descriptor =>
        {
            try
            {
                return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName ?? "";
            }
            catch (IOException)
            {
                return "";
            }
        }).ToList();
}
