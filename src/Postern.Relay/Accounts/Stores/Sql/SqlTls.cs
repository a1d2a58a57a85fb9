namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>What the way to a database server must be.</summary>
internal enum SqlTls
{
    /// <summary>In clear.</summary>
    None,

    /// <summary>TLS where the server has it.</summary>
    Opportunistic,

    /// <summary>TLS, with whomever.</summary>
    Encrypt,

    /// <summary>TLS with a certificate that is good and bears the server's name.</summary>
    Verify,
}
