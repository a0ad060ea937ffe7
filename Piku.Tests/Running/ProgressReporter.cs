using Xunit.Runner.Common;
using Xunit.Sdk;

[assembly: RegisterRunnerReporter(typeof(ProgressReporter))]

namespace Piku.Tests.Running;

/// <summary><c>-reporter progress</c>: what <c>./test</c> shows.</summary>
public sealed class ProgressReporter : IRunnerReporter
{
    /// <summary>Names the folder in which the numbers are kept while the tests run, for a script that outlives them.</summary>
    public const string ResultsVariable = "PIKU_TEST_RESULTS";

    public bool CanBeEnvironmentallyEnabled => false;

    public string Description => "a line for each class, each failure at once, and the slowest ten";

    public bool ForceNoLogo => true;

    public bool IsEnvironmentallyEnabled => false;

    public string RunnerSwitch => "progress";

    public ValueTask<IRunnerReporterMessageHandler> CreateMessageHandler(IRunnerLogger logger, IMessageSink? diagnosticMessageSink) =>
        new(new Progress(Console.Out, Environment.GetEnvironmentVariable(ResultsVariable)));
}
