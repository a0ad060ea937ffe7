using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Tomlyn;
using Tomlyn.Model;

namespace Piku.Tests.Formats;

/// <summary>The reader against the public suite, github.com/toml-lang/toml-test.</summary>
public sealed partial class TomlTests
{
    private static readonly string Suite = Path.Combine(AppContext.BaseDirectory, "TestData", "toml-test");

    /// <summary>Mistakes in TOML 1.0 that TOML 1.1 allows.</summary>
    private static readonly string[] ValidSince11 =
    [
        "datetime/no-secs", "local-datetime/no-secs", "local-time/no-secs", "string/basic-byte-escapes",
        "inline-table/linebreak-01", "inline-table/linebreak-02", "inline-table/linebreak-03", "inline-table/linebreak-04",
        "inline-table/trailing-comma",
    ];

    public static TheoryData<string> Valid() => Cases("valid");

    public static TheoryData<string> Invalid() => Cases("invalid");

    [Theory]
    [MemberData(nameof(Valid))]
    public void A_valid_document_has_the_values_of_the_suite(string name)
    {
        var file = Path.Combine(Suite, "valid", name);
        var expected = JsonNode.Parse(File.ReadAllText(file + ".json"))!;
        AssertSame(expected, ToJson(Toml.Parse(File.ReadAllText(file + ".toml"), name)));
    }

    [Theory]
    [MemberData(nameof(Invalid))]
    public void An_invalid_document_is_refused_with_its_line(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Suite, "invalid", name + ".toml"));
        if (ValidSince11.Contains(name) || !IsUtf8(bytes))
            return;
        var error = Assert.Throws<UserError>(() => Toml.Parse(Encoding.UTF8.GetString(bytes), "x.toml"));
        Assert.Matches(@"^x\.toml line \d+, column \d+: [^\n]+\.$", error.Message);
    }

    [Theory]
    [InlineData("a = \n", "line 1, column 5")]
    [InlineData("a = 1\nb = 2\na = 3\n", "line 3, column 1")]
    public void The_place_is_where_the_mistake_is(string text, string place) =>
        Assert.Contains(place, Assert.Throws<UserError>(() => Toml.Parse(text, "x.toml")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a = ", "[", 200_000)]
    [InlineData("a = ", "{a=", 100_000)]
    [InlineData("a", ".a", 50_000)]
    public void Endless_nesting_is_refused(string start, string repeated, int times) =>
        Assert.Throws<UserError>(() => Toml.Parse(start + new StringBuilder().Insert(0, repeated, times) + " = 1", "x.toml"));

    private static TheoryData<string> Cases(string folder) => new(
        Directory.EnumerateFiles(Path.Combine(Suite, folder), "*.toml", SearchOption.AllDirectories)
            .Select(file => Path.ChangeExtension(Path.GetRelativePath(Path.Combine(Suite, folder), file), null))
            .Order(StringComparer.Ordinal));

    private static bool IsUtf8(byte[] bytes) => System.Text.Unicode.Utf8.IsValid(bytes);

    private static JsonNode ToJson(object value) => value switch
    {
        TomlTable table => new JsonObject(table.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)ToJson(pair.Value)))),
        TomlTableArray tables => new JsonArray([.. tables.Select(ToJson)]),
        TomlArray array => new JsonArray([.. array.Select(item => ToJson(item!))]),
        string text => Tagged("string", text),
        long number => Tagged("integer", number.ToString(CultureInfo.InvariantCulture)),
        double number => Tagged("float", number.ToString("R", CultureInfo.InvariantCulture)),
        bool truth => Tagged("bool", truth ? "true" : "false"),
        TomlDateTime time => Tagged(
            time.Kind switch
            {
                TomlDateTimeKind.LocalDate => "date-local",
                TomlDateTimeKind.LocalTime => "time-local",
                TomlDateTimeKind.LocalDateTime => "datetime-local",
                _ => "datetime",
            },
            time.ToString()),
        _ => throw new InvalidOperationException(value.GetType().Name),
    };

    private static JsonObject Tagged(string type, string value) => new() { ["type"] = type, ["value"] = value };

    private static void AssertSame(JsonNode expected, JsonNode actual)
    {
        if (expected is JsonArray items)
        {
            Assert.Equal(items.Count, Assert.IsType<JsonArray>(actual).Count);
            foreach (var (left, right) in items.Zip(actual.AsArray()))
                AssertSame(left!, right!);
            return;
        }
        var table = expected.AsObject();
        Assert.Equal(table.Select(pair => pair.Key).Order(), actual.AsObject().Select(pair => pair.Key).Order());
        if (table.Count == 2 && table["type"] is JsonValue && table["value"] is JsonValue)
        {
            Assert.Equal((string)table["type"]!, (string)actual["type"]!);
            Assert.Equal(Comparable(table), Comparable(actual.AsObject()));
            return;
        }
        foreach (var (key, value) in table)
            AssertSame(value!, actual[key]!);
    }

    private static object Comparable(JsonObject tagged)
    {
        var (type, value) = ((string)tagged["type"]!, (string)tagged["value"]!);
        return type switch
        {
            "float" => double.Parse(
                value.Replace("inf", "Infinity", StringComparison.Ordinal).Replace("nan", "NaN", StringComparison.Ordinal), CultureInfo.InvariantCulture),
            "string" => value,
            _ => TrailingZeros().Replace(value.ToUpperInvariant().Replace(' ', 'T'), ""),
        };
    }

    [GeneratedRegex(@"\.?0+(?<=\.\d*)(?=Z|[+-]|$)")]
    private static partial Regex TrailingZeros();
}
