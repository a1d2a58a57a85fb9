using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Postern.Relay.Policy.Access;

/// <summary>
/// Patterns and what to do, as a file has them: a line for each, <c>pattern action</c>, <c>#</c> before what is no line. Looked up as
/// Postfix does (access(5)), the most exact pattern first: the whole address, its domain, the domains above it as <c>.domain</c>, its local
/// part as <c>user@</c>; of a client the longest prefix. Then regular expressions in slashes, in the order of the file; they are tried
/// without backtracking, so none can take long. Immutable.
/// </summary>
internal sealed class AccessTable
{
    /// <summary>What a null sender is looked up as.</summary>
    public const string NullSender = "<>";

    private const int MostProblems = 10;

    private readonly Dictionary<string, AccessAction> exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(Regex Pattern, AccessAction Action)> expressions = [];
    private readonly NetworkTable<AccessAction> networks;

    private AccessTable(IEnumerable<string> lines, AccessSubject subject, List<string> problems)
    {
        var prefixes = new List<(IPNetwork, AccessAction)>();
        var shared = new Dictionary<string, AccessAction>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (problems.Count == MostProblems)
                break;
            var text = line.TrimEnd();
            if (text.Length == 0 || text[0] == '#')
                continue;
            if (Add(text, subject, prefixes, shared) is { } problem)
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"line {number}: {problem}"));
        }

        networks = new NetworkTable<AccessAction>(prefixes);
        Count = exact.Count + expressions.Count + prefixes.Count;
    }

    public int Count { get; }

    /// <exception cref="InvalidDataException">Lines do not read; the message names the first of them.</exception>
    public static AccessTable Read(IEnumerable<string> lines, AccessSubject subject)
    {
        var problems = new List<string>();
        var table = new AccessTable(lines, subject, problems);
        return problems.Count == 0 ? table : throw new InvalidDataException(string.Join("; ", problems));
    }

    /// <summary>Null where no pattern fits.</summary>
    /// <param name="pattern">The one that does, as the table has it.</param>
    public AccessAction? Find(IPAddress client, out string pattern)
    {
        if (networks.TryFind(client, out var network, out var action))
        {
            pattern = network.ToString();
            return action;
        }

        return FindExpression(client.ToString(), out pattern);
    }

    /// <summary>The same of an address, a name of a host, a login or a tenant.</summary>
    public AccessAction? Find(string text, out string pattern)
    {
        pattern = text;
        if (exact.TryGetValue(text, out var action))
            return action;
        var at = text.LastIndexOf('@');
        for (var domain = text[(at + 1)..]; domain.Length > 0;)
        {
            pattern = domain;
            if ((at >= 0 || domain[0] == '.') && exact.TryGetValue(domain, out action))
                return action;
            var dot = domain.IndexOf('.', 1);
            domain = dot < 0 ? string.Empty : domain[dot..];
        }

        pattern = text[..(at + 1)];
        return at > 0 && exact.TryGetValue(pattern, out action) ? action : FindExpression(text, out pattern);
    }

    private AccessAction? FindExpression(string text, out string pattern)
    {
        foreach (var (expression, action) in expressions)
        {
            if (!expression.IsMatch(text))
                continue;
            pattern = $"/{expression}/";
            return action;
        }

        pattern = string.Empty;
        return null;
    }

    private string? Add(
        string line, AccessSubject subject, List<(IPNetwork, AccessAction)> prefixes, Dictionary<string, AccessAction> shared)
    {
        if (line[0] is ' ' or '\t')
            return "it begins with a blank";
        var end = line[0] == '/' ? line.IndexOf('/', 1) + 1 : line.IndexOfAny([' ', '\t']);
        if (end <= 0 || line[end..].Trim() is not { Length: > 0 } said)
            return line[0] == '/'
                ? "the expression has no slash at its end, or no action behind it"
                : "there is no action behind the pattern";
        if (!shared.TryGetValue(said, out var action))
        {
            if (AccessAction.Read(said, out var problem) is not { } read)
                return problem;
            shared[said] = action = read;
        }

        var pattern = line[..end];
        if (pattern[0] == '/')
            return AddExpression(pattern[1..^1], action);
        if (subject == AccessSubject.Client)
        {
            if (!ArgumentKinds.Networks.Read(pattern, out var networks))
                return $"{pattern} is no address and no network";
            prefixes.Add((networks[0], action));
            return null;
        }

        return exact.TryAdd(pattern, action) ? null : $"{pattern} stands there twice";
    }

    private string? AddExpression(string expression, AccessAction action)
    {
        try
        {
            expressions.Add((
                new Regex(expression, RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant), action));
            return null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return $"the expression /{expression}/ cannot be used: {e.Message}";
        }
    }
}

/// <summary>What an access table is looked up by.</summary>
internal enum AccessSubject
{
    Client,
    Helo,
    Sender,
    Recipient,
    Login,
    Tenant,
}
