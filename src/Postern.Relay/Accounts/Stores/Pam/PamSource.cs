using System.Buffers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Pam;

/// <summary>An entry of <c>accounts</c> that PAM answers: <c>pam:SERVICE</c>.</summary>
internal sealed record PamSource : AccountSource
{
    private const string Prefix = "pam:";
    private const string ShadowFile = "/etc/shadow";
    private const int MaxServiceLength = 64;
    private const int MostIncludes = 8;

    /// <summary>The library makes a name lower case before it looks for the file.</summary>
    private static readonly SearchValues<char> ServiceCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-.");

    private static readonly string[] UsualFolders = ["/etc/pam.d", "/usr/lib/pam.d"];

    private PamSource(AccountSource source)
        : base(source)
    {
    }

    /// <summary>The name of the file that lists the modules.</summary>
    public string Service => Uri[Prefix.Length..];

    /// <summary>Where that file is; null for where the system has it.</summary>
    public string? Folder { get; private init; }

    /// <summary>PAM knows the users of this domain by what stands before the sign; null: by their whole names.</summary>
    public string? MailDomain { get; private init; }

    /// <summary>The file, or where it is looked for.</summary>
    public string ServiceFile => Folders.Select(folder => Path.Combine(folder, Service)).FirstOrDefault(File.Exists)
        ?? Path.Combine(Folders[0], Service);

    private string[] Folders => Folder is null ? UsualFolders : [Folder];

    public static AccountSource Read(IStoreSection section, AccountSource source)
    {
        var domain = section.Text(
            "domain",
            "none: PAM is asked for the whole name",
            "The domain of PAM's users: `lisa` and `lisa@example.org` are one login, for which PAM is asked as `lisa`, and which may send "
                + "as lisa@example.org. Names in other domains are nobody's here.");
        if (domain is not null && !Domain.TryParse(domain, out _))
            section.Report("domain", "it is no domain");
        return new PamSource(source)
        {
            MailDomain = Domain.TryParse(domain, out var parsed) ? parsed.Text : null,
            Folder = section.FilePath(
                "directory",
                "`/etc/pam.d`, then `/usr/lib/pam.d`",
                "Where the file of the service is, with all that it includes."),
        };
    }

    /// <summary>What is wrong with the URI, or with this machine.</summary>
    public static string? WhyNot(AccountSource source)
    {
        var service = source.Uri[Math.Min(Prefix.Length, source.Uri.Length)..];
        if (service.Length is 0 or > MaxServiceLength || service.AsSpan().ContainsAnyExcept(ServiceCharacters) || service[0] is '.' or '-')
            return "it names no service of PAM, a file in /etc/pam.d whose name is in lower case; such as pam:smtp";
        return LibPam.IsPresent
            ? null
            : $"{LibPam.Name} is not on this machine, or older than 1.4, so nobody can ask PAM (Debian: apt install libpam0g)";
    }

    /// <summary>What an operator should be told.</summary>
    public static IEnumerable<string> Warn(AccountSource source)
    {
        if (source is not PamSource { ServiceFile: var file } pam)
            yield break;
        if (!File.Exists(file))
        {
            yield return $"there is no {file}: every login by it is answered 454 until there is";
            yield break;
        }

        if (NamesPamUnix(file, pam.Folders, depth: 0) && File.Exists(ShadowFile) && !IsReadable(ShadowFile))
            yield return $"{file} names pam_unix, which finds every password of other users wrong where it may not read {ShadowFile}: "
                + "run as root, or as a member of the group shadow (systemd: SupplementaryGroups=shadow)";
    }

    /// <summary>The name by which PAM knows a login; null for nobody.</summary>
    public string? NameOf(string user)
    {
        var name = user;
        if (MailDomain is not null && user.LastIndexOf('@') is >= 0 and var at)
        {
            if (!user.AsSpan(at + 1).Equals(MailDomain, StringComparison.OrdinalIgnoreCase))
                return null;
            name = user[..at];
        }

        // Modules make paths, arguments and lines of a name.
        return name.Length == 0 || name[0] is '-' or '.' || name.Any(static c => c is '/' or ':' or '\0' || char.IsControl(c))
            ? null
            : name;
    }

    /// <summary>The account of a login that PAM knows by <paramref name="name"/>.</summary>
    public Account AccountOf(string name) => Account.Of(MailDomain is null ? name : $"{name}@{MailDomain}");

    private static bool IsReadable(string file)
    {
        try
        {
            using var opened = File.OpenRead(file);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>It, or a file that it includes.</summary>
    private static bool NamesPamUnix(string file, string[] folders, int depth)
    {
        if (depth > MostIncludes || !File.Exists(file) || !IsReadable(file))
            return false;
        foreach (var line in File.ReadLines(file))
        {
            var words = line.Split('#')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Any(static word => word.StartsWith("pam_unix", StringComparison.Ordinal)))
                return true;
            var included = words is ["@include", var whole, ..] ? whole : words is [_, "include" or "substack", var part, ..] ? part : null;
            if (included is not null
                && folders.Any(folder => NamesPamUnix(Path.Combine(folder, included), folders, depth + 1)))
                return true;
        }

        return false;
    }
}
