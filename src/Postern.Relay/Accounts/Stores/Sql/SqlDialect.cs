namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>How a database reads the text of a query.</summary>
internal enum SqlDialect
{
    /// <summary>A text in quotation marks ends at the next one.</summary>
    Standard,

    /// <summary>
    /// A backslash takes the next character of a text for itself, <c>#</c> begins a comment, and <c>--</c> does so before a space only.
    /// </summary>
    MySql,
}
