using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// Chooses the SQLite engine: the system's, which gets security fixes with the system, else the one in the package. Chosen once
/// a process, at the first connection.
/// </summary>
internal static unsafe class SqliteEngine
{
    /// <summary>An older system engine than the bundled one (3.35.5) is passed over.</summary>
    private const int MinVersion = 3_035_005;

    private static readonly Lazy<string> Chosen = new(Choose);
    private static readonly Lazy<IntPtr> SystemEngine = new(LoadSystemEngine);

    /// <summary>Where the engine came from and its version, such as <c>libsqlite3.so.0 3.40.1</c>. The first call makes the choice.</summary>
    public static string Description => Chosen.Value;

    /// <summary>A function of the engine that the package does not wrap; false as well when the bundled engine is in use.</summary>
    public static bool TryGetExport(string name, out IntPtr function)
    {
        function = IntPtr.Zero;
        return SystemEngine.Value != IntPtr.Zero && NativeLibrary.TryGetExport(SystemEngine.Value, name, out function);
    }

    private static string Choose()
    {
        var system = SystemEngine.Value;
        NativeLibrary.SetDllImportResolver(
            typeof(SQLite3Provider_e_sqlite3).Assembly,
            (name, _, _) => string.Equals(name, "e_sqlite3", StringComparison.Ordinal) ? system : IntPtr.Zero);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        raw.FreezeProvider();
        return $"{(system == IntPtr.Zero ? "bundled" : SystemName)} {raw.sqlite3_libversion().utf8_to_string()}";
    }

    private static string SystemName =>
        OperatingSystem.IsMacOS() ? "libsqlite3.dylib" : OperatingSystem.IsWindows() ? "winsqlite3.dll" : "libsqlite3.so.0";

    private static IntPtr LoadSystemEngine()
    {
        if (!NativeLibrary.TryLoad(SystemName, Assembly.GetExecutingAssembly(), DllImportSearchPath.SafeDirectories, out var engine))
            return IntPtr.Zero;
        return IsUsable(engine) ? engine : IntPtr.Zero;
    }

    private static bool IsUsable(IntPtr engine) =>
        NativeLibrary.TryGetExport(engine, "sqlite3_libversion_number", out var version)
        && NativeLibrary.TryGetExport(engine, "sqlite3_threadsafe", out var threadSafe)
        && ((delegate* unmanaged<int>)version)() >= MinVersion
        && ((delegate* unmanaged<int>)threadSafe)() != 0;
}
