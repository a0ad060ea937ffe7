using System.Diagnostics;
using System.Text;

namespace Piku.Tests.Ssh;

internal sealed record ProgramResult(int ExitCode, string Output, string Error);

/// <summary>Runs other programs, never for longer than the limit.</summary>
internal static class Programs
{
    public static async Task<ProgramResult> RunAsync(string name, IEnumerable<string> arguments, byte[]? input = null)
    {
        using var process = Start(name, arguments);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Wait.Limit);
        try
        {
            var output = ReadAsync(process.StandardOutput, limit.Token);
            var error = ReadAsync(process.StandardError, limit.Token);
            await WriteAsync(process, input ?? [], limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    public static Process Start(string name, IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(name, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardOutputEncoding = Encoding.Latin1,
    })!;

    private static Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken) =>
        reader.ReadToEndAsync(cancellationToken);

    private static async Task WriteAsync(Process process, byte[] input, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It did not want all of it.
        }
    }
}
