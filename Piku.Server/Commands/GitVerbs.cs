using Piku.Core.Deploy;
using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>What <c>git push</c>, <c>fetch</c>, <c>clone</c> and <c>archive</c> call: git's own services on <c>repos/APP</c>.</summary>
internal static class GitVerbs
{
    public static Task<int> ReceiveAsync(CommandCall call, CancellationToken cancel) =>
        new Push(call.Piku, call.Named, call.Deployer())
            .ServeAsync(call.Streams.Input, call.Streams.Output.WriteAsync, call.Streams.Error.WriteAsync, call.Streams.Variables, call.Streams.Stopping, cancel);

    public static Task<int> UploadAsync(CommandCall call, CancellationToken cancel) => ServeAsync(call, "upload-pack", cancel);

    public static Task<int> ArchiveAsync(CommandCall call, CancellationToken cancel) => ServeAsync(call, "upload-archive", cancel);

    private static async Task<int> ServeAsync(CommandCall call, string service, CancellationToken cancel)
    {
        var app = call.Named;
        var repository = call.Piku.RepositoryOf(app);
        if (!repository.Exists)
            throw new UserError($"app '{app}' not found.");
        var status = await ChildProcess.RunAsync(
            call.Piku.GitOf(app).Serve(repository.Folder, [.. GitRepository.HidingOurs, service, repository.Folder], call.Streams.Variables) with
            {
                Input = call.Streams.Input,
                Output = call.Streams.Output.WriteAsync,
                Error = call.Streams.Error.WriteAsync,
            },
            cancel);
        return status.ShellCode;
    }
}
