using System.Text;
using Piku.Core.Machine;

namespace Piku.Core.Deploy;

/// <summary>What the person who deploys reads meanwhile, in upstream's voice: <c>-----&gt; </c> leads each step.</summary>
/// <param name="output">Where it goes; the deploy waits while nobody reads.</param>
public sealed class DeployLog(OutputSink output)
{
    /// <summary>For what happens when nobody is there to read.</summary>
    public static DeployLog Silent => new((_, _) => ValueTask.CompletedTask);

    private readonly HashSet<string> _warnings = [];

    /// <summary>For what build tools write, as they write it.</summary>
    public OutputSink Output => output;

    public Task StepAsync(string text, CancellationToken cancel) => LineAsync($"-----> {text}", cancel);

    /// <summary>Says it once, however many plans of a deploy come upon it.</summary>
    public Task WarnAsync(string text, CancellationToken cancel) =>
        _warnings.Add(text) ? LineAsync($"Warning: {text}", cancel) : Task.CompletedTask;

    public Task LineAsync(string text, CancellationToken cancel) =>
        output(Encoding.UTF8.GetBytes(text + "\n"), cancel).AsTask();
}
