namespace Piku.Core.Formats;

/// <summary>One line of a uWSGI ini file: an option and its value, which is either text or syntax.</summary>
public sealed record UwsgiSetting
{
    private UwsgiSetting(string option, string value, bool isSyntax) => (Option, Value, IsSyntax) = (option, value, isSyntax);

    public string Option { get; }

    public string Value { get; }

    /// <summary>True when uWSGI is to interpret the value's <c>%</c>, <c>$(…)</c> and <c>@(…)</c>.</summary>
    public bool IsSyntax { get; }

    /// <summary>The option receives exactly this text, whatever is in it.</summary>
    public static UwsgiSetting Text(string option, string value) => new(option, value, isSyntax: false);

    /// <summary>The value as it stands in the file. For what the product or an app's own uWSGI include says, never for other input.</summary>
    public static UwsgiSetting Syntax(string option, string value) => new(option, value, isSyntax: true);

    /// <summary>A variable of the process's environment, with exactly this value.</summary>
    public static UwsgiSetting Env(string name, string value) => Text("env", $"{name}={value}");
}
