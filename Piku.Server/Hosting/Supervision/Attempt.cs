using System.Diagnostics.CodeAnalysis;

namespace Piku.Server.Hosting.Supervision;

/// <summary>Work of the daemon's that is done again and again, and whose failure is no reason for the daemon to end.</summary>
internal static class Attempt
{
    /// <summary>The sentences that the work returns, or the one that says why it failed, for the log.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A machine that is out of anything may fail in any way; it is said, and tried again.")]
    public static async Task<IReadOnlyList<string>> RunAsync(Func<Task<IReadOnlyList<string>>> work, CancellationToken stopping)
    {
        try
        {
            return await work();
        }
        catch (Exception wrong) when (!stopping.IsCancellationRequested)
        {
            return [wrong.Message];
        }
    }
}
