; What gives a variable its first value: one match for each initialised declarator.
(declaration
  declarator: (init_declarator
    declarator: (_) @declarator
    value: (_) @value)) @declaration
