using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// Mailboxes of this machine, as Maildir has them: a message is written to <c>tmp</c>, made durable, and moved to <c>new</c>. A mailbox is
/// a directory that somebody made: mail to any other has no recipient, so that nobody can fill the disk with directories.
/// </summary>
/// <remarks>
/// The name of the file is made of the message and its recipient, so what a crash lets be delivered twice takes the place of the first
/// copy, as long as nobody has read that.
/// </remarks>
/// <param name="Path">Absolute, with <c>{user}</c> and <c>{domain}</c>.</param>
internal sealed record MaildirPlace(string Path) : IHopPlace
{
    private const int MostNameOctets = 255;
    private const int BufferOctets = 32 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersDirectory = OwnerOnly | UnixFileMode.UserExecute;

    private static FileStreamOptions ForWriting
    {
        get
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = OwnerOnly;
            return options;
        }
    }

    public string Name => $"maildir:{Path}";

    /// <summary>The directory above everything that differs by recipient.</summary>
    private string Root => PlaceText.IsPlain(Path)
        ? Path
        : Path[..Math.Max(1, Path.LastIndexOf('/', Path.IndexOf('{', StringComparison.Ordinal)))];

    public string? Doubt
    {
        get
        {
            try
            {
                return File.GetAttributes(Root).HasFlag(FileAttributes.Directory) ? null : $"{Root} is not a directory";
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return $"{Root} does not exist: mail for it waits until somebody makes that directory";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return $"{Root} cannot be looked at: {e.Message}";
            }
        }
    }

    public static string? Read(string text, out IHopPlace? place)
    {
        place = null;
        if (!text.StartsWith('/') || text.Any(char.IsControl) || text.Split('/').Contains(".."))
            return $"'{text}' is not an absolute path";
        if (PlaceText.WhyNot(text, "user", "domain") is { } why)
            return $"{text}: {why}";
        place = new MaildirPlace(text.Length > 1 ? text.TrimEnd('/') : text);
        return null;
    }

    public async ValueTask<Outcome> DeliverAsync(
        OutgoingMessage message, Mailbox recipient, PlaceContext context, CancellationToken ct)
    {
        if (Path.Contains("{user}", StringComparison.Ordinal) && !IsName(PlaceText.UserOf(recipient)))
            return NoMailbox("no mailbox of this server has such a name");
        var mailbox = PlaceText.Fill(Path, name => PlaceText.ValueOf(name, recipient, message.Sender, id: string.Empty));
        await context.Disk.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (WhyNoMailbox(mailbox) is { } why)
                return why;
            await WriteAsync(message, recipient, mailbox, context, ct).ConfigureAwait(false);
            return new Outcome.Delivered(Remote: null, $"delivered to {mailbox}", Tls: null, "2.0.0")
            {
                IsFinal = true,
                Phase = DeliveryPhase.End,
                Told = PlaceText.Delivered,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && OwnShortage.WordsOf(e) is null)
        {
            return e is IOException io && Libc.IsOutOfSpace(io)
                ? Later($"{mailbox}: there is no room on the disk, or the quota is used up", "4.2.2", "there is no room for it")
                : Later($"{mailbox}: {e.Message}", "4.3.0", "the mailbox cannot be written to now");
        }
        finally
        {
            context.Disk.Release();
        }
    }

    private static async ValueTask WriteAsync(
        OutgoingMessage message, Mailbox recipient, string mailbox, PlaceContext context, CancellationToken ct)
    {
        var name = NameOf(message, recipient, context);
        var files = new SegmentFiles();
        var (temporary, final) = (System.IO.Path.Combine(mailbox, "tmp"), System.IO.Path.Combine(mailbox, "new"));
        if (!Directory.Exists(final) || !Directory.Exists(temporary))
        {
            foreach (var part in (ReadOnlySpan<string>)["tmp", "new", "cur"])
                MakeDirectory(System.IO.Path.Combine(mailbox, part));
            files.SyncDirectory(mailbox);
        }

        var target = System.IO.Path.Combine(final, name);
        if (File.Exists(target))
            return;
        var written = System.IO.Path.Combine(temporary, $"{name}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        try
        {
            using (var file = new FileStream(written, ForWriting))
            {
                var content = new PlaceContent(message, recipient);
                var buffer = new byte[BufferOctets];
                while (await content.ReadAsync(buffer, ct).ConfigureAwait(false) is var count and > 0)
                    file.Write(buffer, 0, count);
                file.Flush(flushToDisk: true);
            }

            File.Move(written, target, overwrite: true);
        }
        catch
        {
            File.Delete(written);
            throw;
        }

        files.SyncDirectory(final);
    }

    private static void MakeDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnersDirectory);
    }

    /// <summary>
    /// Unique as the Maildir convention asks, and the same for the same message and recipient: time of arrival, queue id, recipient, host.
    /// </summary>
    private static string NameOf(OutgoingMessage message, Mailbox recipient, PlaceContext context)
    {
        var host = context.Hostname.Text.Replace(':', '_');
        if (message.Content is not IQueuedContent { QueueId: var id })
            return $"{context.Clock.GetUtcNow().ToUnixTimeSeconds()}.R{RandomNumberGenerator.GetHexString(24, lowercase: true)}.{host}";
        var whose = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(recipient.Canonical)).AsSpan(0, 8));
        return string.Create(CultureInfo.InvariantCulture, $"{id.CreatedAt.ToUnixTimeSeconds()}.Q{id}R{whose}.{host}");
    }

    /// <summary>One name of a directory that leads nowhere else, and that no listing hides.</summary>
    private static bool IsName(string name) =>
        name.Length > 0 && name[0] != '.' && !name.Contains('/', StringComparison.Ordinal) && !name.Any(char.IsControl)
        && Encoding.UTF8.GetByteCount(name) <= MostNameOctets;

    /// <summary>
    /// Who has no directory has no mailbox, as long as the directory above it is there: a disk that is not mounted is no reason to return
    /// mail.
    /// </summary>
    private Outcome? WhyNoMailbox(string mailbox)
    {
        if (IsThere(mailbox))
            return null;
        if (!IsThere(Root))
            return Later($"{Root} does not exist", "4.3.0", "the mailboxes of this server are away for now");
        return NoMailbox("there is no such mailbox here");
    }

    /// <summary>False only where the system says that there is none.</summary>
    private static bool IsThere(string directory)
    {
        try
        {
            return File.GetAttributes(directory).HasFlag(FileAttributes.Directory);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static Outcome.Failed NoMailbox(string why) =>
        new(Remote: null, why, Tls: null, "5.1.1") { Cause = DeliveryCause.Refused, Phase = DeliveryPhase.Rcpt };

    private static Outcome.Deferred Later(string why, string status, string told) => new(Remote: null, why, Tls: null, status)
    {
        Told = told,
        After = AfterDeferral.NextAttempt,
        Cause = DeliveryCause.OwnSurroundings,
        Phase = DeliveryPhase.End,
    };
}
