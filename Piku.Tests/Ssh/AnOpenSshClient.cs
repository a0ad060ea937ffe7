using System.Text;

namespace Piku.Tests.Ssh;

public sealed class AnOpenSshClient
{
    [Fact]
    public async Task Runs_a_command_and_gets_its_output_error_and_exit_status()
    {
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            await session.Output.WriteAsync(Encoding.UTF8.GetBytes($"ran {session.Command}"), cancellationToken);
            await session.Error.WriteAsync("and failed"u8.ToArray(), cancellationToken);
            return 42;
        });

        var result = await server.SshAsync("apps --all");

        Assert.Equal(new ProgramResult(42, "ran apps --all", "and failed"), result);
    }
}
