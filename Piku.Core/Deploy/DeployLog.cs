using System.Buffers;
using System.Text;
using Piku.Core.Machine;

namespace Piku.Core.Deploy;

/// <summary>
/// What the person who deploys reads meanwhile, in upstream's voice: <c>-----&gt; </c> leads each step. The log of the
/// release, as soon as there is one, gets the same, from the first word.
/// </summary>
/// <param name="output">Where it goes; the deploy waits while nobody reads.</param>
public sealed class DeployLog(OutputSink output)
{
    /// <summary>For what happens when nobody is there to read.</summary>
    public static DeployLog Silent => new((_, _) => ValueTask.CompletedTask);

    /// <summary>Bytes kept of what is said before there is a release: who has the app now, which settings change.</summary>
    private const int MostBefore = 64 << 10;

    /// <summary>How long a word of ours waits to be read; what a build says waits as long as the build may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HashSet<string> _warnings = [];
    private readonly ArrayBufferWriter<byte> _before = new();
    private ReleaseLog? _release;
    private Action<string>? _follow;
    private volatile bool _isWithinLine;

    /// <summary>For what build tools write, as they write it.</summary>
    public OutputSink Output => WriteAsync;

    public Task StepAsync(string text, CancellationToken cancel)
    {
        _follow?.Invoke(text);
        return LineAsync($"-----> {text}", cancel);
    }

    /// <summary>Says it once, however many plans of a deploy come upon it.</summary>
    public Task WarnAsync(string text, CancellationToken cancel) =>
        _warnings.Add(text) ? LineAsync($"Warning: {text}", cancel) : Task.CompletedTask;

    public async Task LineAsync(string text, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            // What a program has said may not end its line.
            await WriteAsync(Encoding.UTF8.GetBytes((_isWithinLine ? "\n" : "") + text + "\n"), patience.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // Nobody may hold an app by not reading. The log of the release has it.
        }
    }

    /// <summary>Has somebody told of each step; null for nobody.</summary>
    internal void Follow(Action<string>? step) => _follow = step;

    /// <summary>Says for whom one waits, and since when they are at it.</summary>
    internal Func<LockHolder, Task> WaitingForAsync(CancellationToken cancel) =>
        holder => StepAsync($"Waiting for the {holder.Purpose}, under way since {holder.Since:HH:mm:ss} UTC.", cancel);

    /// <summary>Writes what was said so far, and what will be, to the log of a release too.</summary>
    internal void RecordIn(ReleaseLog release)
    {
        release.Write(_before.WrittenSpan);
        _before.Clear();
        _release = release;
    }

    private ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        if (!bytes.IsEmpty)
            _isWithinLine = bytes.Span[^1] != (byte)'\n';
        if (_release is not null)
            _release.Write(bytes.Span);
        else if (_before.WrittenCount + bytes.Length <= MostBefore)
            _before.Write(bytes.Span);
        return output(bytes, cancel);
    }
}
