using System.Diagnostics;

namespace Piku.Tests.Ssh;

/// <summary>Every parser that a stranger can reach ends with a value or with a protocol error, whatever the bytes.</summary>
public sealed class FuzzTests
{
    private const int Inputs = 20_000, ManyInputs = 10_000_000;

    /// <summary>That the collector may keep after all of them, in bytes: buffers that wait to be used again.</summary>
    private const long Growth = 32 * 1024 * 1024;

    public static TheoryData<string> Names() => [.. FuzzTarget.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Whatever_comes_is_a_value_or_a_protocol_error(string name)
    {
        var target = FuzzTarget.All.Single(target => target.Name == name);
        Run(target, Inputs / target.Cost, new Random(target.Name.Length));
    }

    [Fact(Explicit = true)]
    public void Ten_million_inputs_and_no_memory_is_lost()
    {
        var seed = Random.Shared.Next();
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"seed {seed}");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var share = ManyInputs / FuzzTarget.All.Sum(target => 1.0 / target.Cost);
        Parallel.ForEach(FuzzTarget.All, target =>
        {
            var clock = Stopwatch.StartNew();
            var inputs = (int)Math.Ceiling(share / target.Cost);
            Run(target, inputs, new Random(seed));
            output.WriteLine($"{target.Name}: {inputs} inputs in {clock.Elapsed.TotalSeconds:0} s");
        });
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, Growth);
    }

    private static void Run(FuzzTarget target, int inputs, Random random)
    {
        for (var input = 0; input < inputs; input++)
        {
            var data = Mutation.Of(target.Seeds[random.Next(target.Seeds.Count)], random, fewest: 0, most: 4);
            try
            {
                target.Parse(data);
            }
            catch (Exception refusal) when (target.Refusal?.IsInstanceOfType(refusal) is true)
            {
                continue;
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"{target.Name} fails on {Convert.ToHexString(data)}", failure);
            }
        }
    }
}
