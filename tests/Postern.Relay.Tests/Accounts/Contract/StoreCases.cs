namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>What every store is tried with.</summary>
public static class StoreCases
{
    /// <summary>Names that mean something in a query language, a path, a pattern or a format.</summary>
    public static TheoryData<string> NamesOfAnAttacker =>
    [
        "{0}' or '1'='1", "' or 1=1 -- ", "{0}' -- ", "{0}'; drop table users; -- ", "{0}\" or \"\"=\"", "{0}`", "\\", "{0}\\", "{0}\\' or 1=1 #", "%", "_", "{0}%", "*", "{0}*",
        "{0})(uid=*))(|(uid=*", "*)(|(password=*", "{0})", "&", "|", "!", "{0}/../{0}", "../../etc/passwd", "@user", ":user", "$1", "?", "{0}?", "{0}#", "{0}\u00a0", "{0} ", " {0}",
        "{{0}}", "$(id)", "`id`", "null", "${{jndi:x}}", "{0}%00", "{0}\u02bc or 1=1", "{0}\uff07 or 1=1", "0", "true", "{0}:", "{0}\ttab",
    ];
}
