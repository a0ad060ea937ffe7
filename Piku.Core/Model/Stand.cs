namespace Piku.Core.Model;

/// <summary>
/// One of two places for the workers of an app that answer requests: a new version comes up on the stand that is free,
/// beside the old one. Their names on disk differ by the stand's mark, which no app's name can contain.
/// </summary>
public enum Stand
{
    /// <summary>Upstream's names: <c>blog_web.1.ini</c>, <c>blog.sock</c>.</summary>
    First,

    /// <summary>The same with a mark: <c>blog_web.1~2.ini</c>, <c>blog~2.sock</c>.</summary>
    Second,
}

/// <summary>How stands are told apart.</summary>
public static class Stands
{
    private const string SecondMark = "~2";

    /// <summary>What follows a name on this stand; nothing on the first.</summary>
    public static string Mark(this Stand stand) => stand is Stand.Second ? SecondMark : "";

    public static Stand Other(this Stand stand) => stand is Stand.First ? Stand.Second : Stand.First;

    /// <summary>The stand that a vassal of this name is on; those that answer nobody are always on the first.</summary>
    /// <param name="vassal">Without <c>.ini</c>.</param>
    public static Stand Of(string vassal) => vassal.EndsWith(SecondMark, StringComparison.Ordinal) ? Stand.Second : Stand.First;
}
