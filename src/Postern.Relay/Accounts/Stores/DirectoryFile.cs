namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// Makes the database file before the engine does, so that it is never readable by others; its companions inherit the mode.
/// </summary>
internal static class DirectoryFile
{
    public static void Ensure(SqliteDirectoryOptions options)
    {
        if (File.Exists(options.Path))
            return;
        if (!options.Create)
            throw DirectoryFaults.Missing(options.Path);
        try
        {
            var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            new FileStream(options.Path, how).Dispose();
        }
        catch (IOException) when (File.Exists(options.Path))
        {
            // Another process made it in this moment.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DirectoryUnavailableException($"directory {options.Path}: it cannot be made: {e.Message}", e);
        }
    }
}
