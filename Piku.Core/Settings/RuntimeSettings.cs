namespace Piku.Core.Settings;

/// <summary>What decides how an app is built.</summary>
public static class RuntimeSettings
{
    public static readonly Setting<string> PythonVersion = new("PYTHON_VERSION", ValueFormats.Version,
        "The Python of the app's virtualenv; without it `.python-version` or `runtime.txt` decides, if that Python is installed.")
    { Default = "3" };

    public static readonly Setting<string> NodeVersion = new("NODE_VERSION", ValueFormats.NodeVersion,
        "The Node that nodeenv installs for the app; without it the system's is used.");

    public static readonly Setting<string> NodePackageManager = new("NODE_PACKAGE_MANAGER", ValueFormats.Command,
        "The program that installs the packages, with its flags; another one than npm is itself installed with `npm install -g`. "
        + "Without it the app's lock file decides.");

    public static readonly Setting[] All = [PythonVersion, NodeVersion, NodePackageManager];
}
