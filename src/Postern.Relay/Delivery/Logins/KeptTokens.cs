using System.Text.Json;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Sasl;

namespace Postern.Relay.Delivery.Logins;

/// <summary>
/// Refresh tokens that a server gave in the place of others, or that <c>postern oauth login</c> had, each in a file of its owner alone.
/// </summary>
internal sealed class KeptTokens(string? directory)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>When what is kept was last written; null where nothing is.</summary>
    public DateTimeOffset? WrittenAt(TokenGrant grant) =>
        directory is not null && new FileInfo(PathOf(grant)) is { Exists: true, LastWriteTimeUtc: var at } ? at : null;

    /// <summary>What was kept; null where nothing was.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public Secret? Read(TokenGrant grant)
    {
        if (directory is null)
            return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(PathOf(grant)));
            return document.RootElement.GetProperty("refresh_token").GetString() is { Length: > 0 } token ? new Secret(token) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or UnauthorizedAccessException)
        {
            throw new IOException($"{PathOf(grant)} cannot be read: {e.Message}", e);
        }
    }

    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(TokenGrant grant, Secret refresh)
    {
        if (directory is null)
            return;
        var path = PathOf(grant);
        try
        {
            var how = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
            }
            else
            {
                Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
                how.UnixCreateMode = OwnerOnly;
            }

            var fresh = path + ".new";
            using (var file = new FileStream(fresh, how))
            {
                JsonSerializer.Serialize(
                    file,
                    new Dictionary<string, string>
                    {
                        ["account"] = grant.Account,
                        ["token_url"] = grant.TokenUrl.ToString(),
                        ["client_id"] = grant.ClientId,
                        ["refresh_token"] = refresh.Reveal(),
                    });
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
            new SegmentFiles().SyncDirectory(directory);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public string PathOf(TokenGrant grant) => Path.Combine(directory ?? string.Empty, grant.FileName);
}
