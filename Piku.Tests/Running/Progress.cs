using System.Diagnostics;
using System.Globalization;
using Xunit.Runner.Common;
using Xunit.Sdk;

namespace Piku.Tests.Running;

/// <summary>
/// Tells a run of the tests as it goes. Numbers and the tests under way are kept in files too, rewritten with every
/// change, so that a run that is cut short or crashes has still counted.
/// </summary>
/// <param name="output">Where lines go.</param>
/// <param name="results">A folder for <c>counts</c> ("passed failed skipped"), <c>running</c> (a name a line) and
/// <c>figures</c> (what explicit tests print); null keeps none.</param>
internal sealed class Progress(TextWriter output, string? results) : IRunnerReporterMessageHandler
{
    private const int SlowestShown = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Dictionary<string, Running> _running = [];
    private readonly Dictionary<string, string> _classes = [];
    private readonly Dictionary<string, string> _methods = [];
    private readonly List<(TimeSpan Took, string Name)> _ended = [];
    private Timer? _timer;
    private TimeSpan _lastLine;
    private int _passed, _failed, _skipped;

    /// <returns>Always true: go on.</returns>
    public bool OnMessage(IMessageSinkMessage message)
    {
        lock (_lock)
            Hear(message);
        return true;
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? default;

    private void Hear(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestAssemblyStarting:
                Say(string.Create(CultureInfo.InvariantCulture, $"This machine is {Pace.Factor:0.0} times as slow as a quiet one of two cores; the tests' time limits follow that."));
                _timer = new Timer(_ => TellWhatRuns(), null, Patience, Patience);
                break;
            case ITestClassStarting { TestClassUniqueID: { } id } starting:
                _classes[id] = starting.TestClassName;
                break;
            case ITestCaseStarting starting:
                _methods[starting.TestCaseUniqueID] = $"{starting.TestClassName}.{starting.TestMethodName}";
                break;
            case ITestStarting starting:
                _running[starting.TestUniqueID] = new(starting.TestDisplayName, _methods.GetValueOrDefault(starting.TestCaseUniqueID, starting.TestDisplayName), _clock.Elapsed, starting.Explicit);
                Keep();
                break;
            case ITestPassed:
                _passed++;
                break;
            case ITestSkipped:
                _skipped++;
                break;
            case ITestFailed failed:
                _failed++;
                TellFailure(_running.GetValueOrDefault(failed.TestUniqueID), failed, failed.Output);
                break;
            case ITestFinished finished:
                End(finished);
                break;
            case ITestClassFinished finished:
                TellClass(finished);
                break;
            case ITestAssemblyFinished:
                TellSlowest();
                break;
            case IErrorMetadata error: // a fixture that could not be cleaned up, or the runner itself
                _failed++;
                TellFailure(null, error, "");
                Keep();
                break;
            default:
                break;
        }
    }

    private void End(ITestFinished finished)
    {
        if (!_running.Remove(finished.TestUniqueID, out var test))
            return;
        _ended.Add((_clock.Elapsed - test.Begun, test.Name));
        if (test.IsExplicit && results is not null)
            File.AppendAllText(Path.Combine(results, "figures"), $"## {test.Name}, {(_clock.Elapsed - test.Begun).TotalSeconds:0} s\n{finished.Output}\n");
        Keep();
    }

    private void TellClass(ITestClassFinished finished)
    {
        var name = _classes.GetValueOrDefault(finished.TestClassUniqueID!, "?");
        var run = finished.TestsTotal - finished.TestsNotRun;
        if (run == 0)
            return;
        var failed = finished.TestsFailed == 0 ? "" : $", {finished.TestsFailed} FAILED";
        var skipped = finished.TestsSkipped == 0 ? "" : $", {finished.TestsSkipped} skipped";
        Say(string.Create(CultureInfo.InvariantCulture, $"{Short(name)}: {run} in {finished.ExecutionTime:0.0} s{failed}{skipped}"));
    }

    private void TellFailure(Running? test, IErrorMetadata error, string said)
    {
        Say($"FAILED {test?.Name ?? "outside of a test"}");
        foreach (var line in new[] { ExceptionUtility.CombineMessages(error), ExceptionUtility.CombineStackTraces(error), said }.SelectMany(text => (text ?? "").Split('\n')).Where(line => line.Length > 0))
            output.WriteLine($"    {line}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    The machine is {Pace.Factor:0.0} times as slow as a quiet one. Tests beside it: {string.Join(", ", _running.Values.Where(other => other != test).Select(other => Short(other.Method)))}"));
        if (test is not null)
            output.WriteLine($"    To repeat it: ./test {(test.IsExplicit ? "long " : "")}-method {test.Method}");
        output.Flush();
    }

    private void TellWhatRuns()
    {
        lock (_lock)
        {
            if (_clock.Elapsed - _lastLine < Patience || _running.Count == 0)
                return;
            Say("still running: " + string.Join(", ", _running.Values.Select(test => $"{Short(test.Name)} ({(_clock.Elapsed - test.Begun).TotalSeconds:0} s)")));
        }
    }

    private void TellSlowest()
    {
        if (_ended.Count <= SlowestShown)
            return;
        Say("The slowest:");
        foreach (var (took, name) in _ended.OrderByDescending(test => test.Took).Take(SlowestShown))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds,8:0.0} s  {Short(name)}"));
        output.Flush();
    }

    /// <summary>A line, behind the time and the numbers so far.</summary>
    private void Say(string line)
    {
        _lastLine = _clock.Elapsed;
        var failed = _failed == 0 ? "" : $", {_failed} failed";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{(int)_clock.Elapsed.TotalMinutes:00}:{_clock.Elapsed.Seconds:00} {_passed,4} passed{failed}] {line}"));
        output.Flush();
    }

    private void Keep()
    {
        if (results is null)
            return;
        File.WriteAllText(Path.Combine(results, "counts"), $"{_passed} {_failed} {_skipped}\n");
        File.WriteAllLines(Path.Combine(results, "running"), _running.Values.Select(test => test.Name));
    }

    private static string Short(string name) => name.Replace("Piku.Tests.", "", StringComparison.Ordinal);

    private sealed record Running(string Name, string Method, TimeSpan Begun, bool IsExplicit);
}
