using System.Text.RegularExpressions;

namespace Piku.Tests;

/// <summary>docs/SECURITY.md names a test for every promise, and there is no promise without one.</summary>
public sealed partial class SecurityPageTests
{
    private static readonly string[] Page = File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "SECURITY.md"));

    [Fact]
    public void Every_promise_names_tests_and_they_are_there()
    {
        var promises = Page.Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| promise |", StringComparison.Ordinal)).ToList();
        Assert.True(promises.Count > 30);
        Assert.All(promises, promise =>
        {
            var tests = TestName().Matches(promise.Split('|')[2]).Select(name => name.Groups[1].Value).ToList();
            Assert.NotEmpty(tests);
            Assert.All(tests, AssertIsTest);
        });
    }

    private static void AssertIsTest(string name)
    {
        var (type, method) = (name[..name.LastIndexOf('.')], name[(name.LastIndexOf('.') + 1)..]);
        var test = typeof(SecurityPageTests).Assembly.GetType($"Piku.Tests.{type}")?.GetMethod(method);
        Assert.True(test?.GetCustomAttributes(typeof(FactAttribute), inherit: true) is [FactAttribute { Explicit: false }], $"{name} is no test that always runs");
    }

    [GeneratedRegex("`([A-Za-z0-9_.]+)`")]
    private static partial Regex TestName();
}
